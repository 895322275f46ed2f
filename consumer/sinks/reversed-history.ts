import { LATE_MS, commitKey, countOf, type ReadRange } from './followed-history.ts'
import type { HistoryEntry, HistoryRange, TableHistory } from './history.ts'

const MINUTE_MS = 60_000

/**
 * The past of a table that is asked by time and answers newest first. Given the other way round: for that all have to be held
 * until the last is read, so those of a minute and topic are one. A commit that becomes visible part by part is told so.
 */
export function reversedHistory(table: string, { sinceMs, untilMs }: HistoryRange, readRange: ReadRange): TableHistory {
  /** What was told of the commits of late. */
  let told: ReadonlyMap<string, HistoryEntry> = new Map()
  let newestMs = -Infinity
  return {
    table,
    read: async function* () {
      const isFirst = newestMs === -Infinity
      const minutes = new Minutes()
      const late = new Map<string, HistoryEntry>()
      let passMs = newestMs
      for await (const entry of readRange({ sinceMs: Math.max(sinceMs, newestMs - LATE_MS), untilMs })) {
        passMs = Math.max(passMs, entry.committedMs)
        if (isFirst && entry.committedMs < passMs - LATE_MS) minutes.add(entry)
        else late.set(commitKey(entry), joined(late.get(commitKey(entry)), entry))
      }
      for (const [key, entry] of late) {
        const more = beyond(entry, told.get(key))
        if (more !== undefined) minutes.add(more)
      }
      // Only now: what broke off has given nothing.
      const kept = [...told, ...late].filter(([, { committedMs }]) => committedMs >= passMs - LATE_MS)
      ;[told, newestMs] = [new Map(kept), passMs]
      yield* minutes.sorted
    }
  }
}

/** An entry for each minute and topic, of its newest commit's time. */
class Minutes {
  readonly #minutes = new Map<string, HistoryEntry>()

  add(entry: HistoryEntry): void {
    const key = `${Math.floor(entry.committedMs / MINUTE_MS)} ${entry.topic}`
    const before = this.#minutes.get(key)
    const commits = sum(before === undefined ? 0 : countOf(before), countOf(entry)) ?? 'unknown'
    this.#minutes.set(key, { ...joined(before, entry), commits })
  }

  get sorted(): readonly HistoryEntry[] {
    return [...this.#minutes.values()].sort((a, b) => a.committedMs - b.committedMs)
  }
}

/** The commits are the first one's. */
function joined(one: HistoryEntry | undefined, other: HistoryEntry): HistoryEntry {
  if (one === undefined) return other
  return {
    ...one,
    committedMs: Math.max(one.committedMs, other.committedMs),
    records: sum(one.records, other.records),
    deadLetters: sum(one.deadLetters, other.deadLetters)
  }
}

/** What an entry has more than was told of its commit; undefined when it is nothing. */
function beyond(entry: HistoryEntry, told: HistoryEntry | undefined): HistoryEntry | undefined {
  if (told === undefined) return entry
  const records = (entry.records ?? 0) - (told.records ?? 0)
  const deadLetters = (entry.deadLetters ?? 0) - (told.deadLetters ?? 0)
  return records > 0 || deadLetters > 0 ? { ...entry, records, deadLetters, commits: 0 } : undefined
}

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b
