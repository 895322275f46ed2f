import { countOf } from '../consumer/sinks/followed-history.ts'
import type { HistoryEntry } from '../consumer/sinks/history.ts'
import { RetryableError } from '../lib/errors.ts'

/** What went into a table from one topic in a minute, or in several where the table tells no more. Undefined is unknown, which is never 0. */
export interface HistoryRow {
  readonly table: string
  readonly topic: string
  /** When its first minute begins. */
  readonly fromMs: number
  /** When its last minute ends. */
  readonly toMs: number
  readonly records: number | undefined
  /** Of records and dead letters together, when one of them is undefined. */
  readonly atMost: number | undefined
  readonly deadLetters: number | undefined
  readonly commits: number | undefined
  readonly lastCommitMs: number
}

const MINUTE_MS = 60_000
/** Commits of a minute may come so much later than those of a later one, by their writers' clocks. */
const LATE_MS = 10 * MINUTE_MS

/**
 * The commits of one table by minute and topic, the earlier minutes first. Holds the minutes of a quarter of an hour, so
 * that any number of days takes no more memory; a commit that comes later still has a row of its own. What was read before a
 * RetryableError is given; the error goes to `onTrouble`.
 */
export async function* minuteRows(
  table: string,
  entries: AsyncIterable<HistoryEntry>,
  onTrouble: (error: RetryableError) => void
): AsyncIterable<HistoryRow> {
  const open = new Map<string, HistoryRow>()
  const close = (beforeMs: number): readonly HistoryRow[] => {
    const closed = [...open].filter(([, { toMs }]) => toMs <= beforeMs)
    for (const [key] of closed) open.delete(key)
    return closed.map(([, row]) => row).sort(byTime)
  }
  let newestMs = -Infinity
  try {
    for await (const entry of entries) {
      const row = rowOf(table, entry)
      const key = `${row.fromMs} ${row.toMs} ${row.topic}`
      const before = open.get(key)
      open.set(key, before === undefined ? row : joined(before, row))
      if (row.toMs <= newestMs) continue
      newestMs = row.toMs
      yield* close(newestMs - LATE_MS)
    }
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error
    onTrouble(error)
  }
  yield* close(Infinity)
}

function rowOf(table: string, entry: HistoryEntry): HistoryRow {
  const { topic, committedMs, fromMs = committedMs, records, atMost, deadLetters } = entry
  const minute = (timeMs: number) => Math.floor(timeMs / MINUTE_MS) * MINUTE_MS
  return {
    table,
    topic,
    fromMs: minute(fromMs),
    toMs: minute(committedMs) + MINUTE_MS,
    records,
    atMost,
    deadLetters,
    commits: countOf(entry),
    lastCommitMs: committedMs
  }
}

/** Of two rows of the same minutes or topics: the span of both. */
export function joined(one: HistoryRow, other: HistoryRow): HistoryRow {
  const [records, deadLetters] = [sum(one.records, other.records), sum(one.deadLetters, other.deadLetters)]
  const isKnown = records !== undefined && deadLetters !== undefined
  return {
    ...one,
    fromMs: Math.min(one.fromMs, other.fromMs),
    toMs: Math.max(one.toMs, other.toMs),
    records,
    atMost: isKnown ? undefined : sum(mostOf(one), mostOf(other)),
    deadLetters,
    commits: sum(one.commits, other.commits),
    lastCommitMs: Math.max(one.lastCommitMs, other.lastCommitMs)
  }
}

const mostOf = ({ records, deadLetters, atMost }: HistoryRow): number | undefined =>
  records === undefined || deadLetters === undefined ? atMost : records + deadLetters

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b

const byTime = (a: HistoryRow, b: HistoryRow): number =>
  a.toMs - b.toMs || a.fromMs - b.fromMs || (a.topic < b.topic ? -1 : 1)

/** Tables whose first rows are read at the same time. */
const AT_ONCE = 8

/** The rows of several tables, each with the earlier first, in one such order; those of the same time in the order of the tables. */
export async function* mergedRows(tables: readonly AsyncIterable<HistoryRow>[]): AsyncIterable<HistoryRow> {
  const sources = tables.map(rows => rows[Symbol.asyncIterator]())
  const heads: { readonly row: HistoryRow; readonly source: AsyncIterator<HistoryRow> }[] = []
  try {
    for (let first = 0; first < sources.length; first += AT_ONCE) {
      const some = sources.slice(first, first + AT_ONCE)
      const results = await Promise.all(some.map(async source => ({ source, result: await source.next() })))
      for (const { source, result } of results) if (result.done !== true) heads.push({ row: result.value, source })
    }
    while (heads.length > 0) {
      const at = heads.reduce(
        (best, { row }, index) => (row.toMs < (heads[best]?.row.toMs ?? Infinity) ? index : best),
        0
      )
      const head = heads[at]
      if (head === undefined) return
      yield head.row
      const result = await head.source.next()
      if (result.done === true) heads.splice(at, 1)
      else heads[at] = { row: result.value, source: head.source }
    }
  } finally {
    for (const source of sources) await source.return?.()
  }
}
