import type { ObjectStore } from '../../store/object-store.ts'
import type { HistoryEntry, HistoryNote, HistoryRange, OnNote, TableHistory } from '../history.ts'
import { listLog, readEntries, readEntry, type LogEntry } from './load.ts'

/** By how much the clocks of a table's writers may differ: entries this much before the range may be followed by one in it. */
const SKEW_MS = 10 * 60_000

/**
 * The past of the Delta table in `store` (rooted at the table), by the `commitInfo` of its log's entries: all that the log
 * still has, however long ago, one at a time.
 */
export function deltaHistory(store: ObjectStore, table: string, range: HistoryRange, onNote: OnNote): TableHistory {
  let next: number | undefined
  return {
    table,
    read: async function* () {
      next ??= await firstVersion(store, range.sinceMs - SKEW_MS, note => onNote({ table, ...note }))
      if (next === undefined) return
      for await (const entry of readEntries(store, next)) {
        const committedMs = timeOf(entry)
        if (committedMs !== undefined && committedMs > range.untilMs + SKEW_MS) return
        for (const each of historyEntries(entry)) {
          if (each.committedMs >= range.sinceMs && each.committedMs <= range.untilMs) yield each
        }
        next = entry.version + 1
      }
    }
  }
}

/** What an entry took from each topic; nothing when it is not a commit of ours. */
function historyEntries(entry: LogEntry): readonly HistoryEntry[] {
  const committedMs = timeOf(entry)
  const bronze = entry.actions.find(({ commitInfo }) => commitInfo?.bronze !== undefined)?.commitInfo?.bronze
  // Of whoever calls itself what we do.
  if (committedMs === undefined || !Array.isArray(bronze?.ranges)) return []
  return [...Map.groupBy(bronze.ranges, ({ topic }) => topic)].map(([topic, ranges]) => ({
    committedMs,
    version: String(entry.version),
    pipeline: bronze.pipeline,
    topic,
    records: ranges.reduce((sum, { records }) => sum + records, 0),
    deadLetters: ranges.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
  }))
}

function timeOf({ actions }: LogEntry): number | undefined {
  const timestamp = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo?.timestamp
  return timestamp === undefined ? undefined : Number(timestamp)
}

/**
 * The first version that was committed at or after a time; the next one to come when none was, undefined when there is no
 * table. Looks back from the newest in growing steps, then halves: few entries are read, however long the log is.
 */
async function firstVersion(
  store: ObjectStore,
  sinceMs: number,
  onNote: (note: Omit<HistoryNote, 'table'>) => void
): Promise<number | undefined> {
  const { latest } = await listLog(store)
  if (latest === undefined) {
    onNote({ message: 'is not there', isIncomplete: false })
    return undefined
  }
  // Between `before`, which is too early or gone, and `from`, which is not, or is yet to come.
  let [before, from] = [-1, latest + 1]
  let isGone = false
  for (let step = 1; from - 1 > before; step *= 2) {
    const middle = Math.floor((before + from) / 2)
    const version = before === -1 ? Math.max(from - step, 0) : middle
    const entry = await readEntry(store, version)
    const committedMs = entry === undefined ? undefined : timeOf(entry)
    if (entry !== undefined && (committedMs === undefined || committedMs >= sinceMs)) from = version
    else [before, isGone] = [version, entry === undefined]
  }
  if (isGone) {
    const first = await readEntry(store, from)
    const time = first === undefined ? undefined : timeOf(first)
    const since = time === undefined ? '' : `, of ${new Date(time).toISOString()}`
    const message = `has a log from version ${from}${since} on: what was committed before is not known any more`
    onNote({ message, isIncomplete: true })
  }
  return from
}
