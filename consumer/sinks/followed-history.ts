import type { HistoryEntry, HistoryRange, TableHistory } from './history.ts'

/** A commit has its time before it can be seen: this much later it is still found. */
const LATE_MS = 5 * 60_000

/** Reads a table's commits of a range, once. */
export type ReadRange = (range: HistoryRange) => AsyncIterable<HistoryEntry>

/**
 * The past of a table that is asked by time: what came since is what a range that overlaps the one before has beside it.
 * With `newestFirst` commits come in that order and are given the other way round, those of a minute as one, since all of
 * them have to be held until the last is read.
 */
export function followedHistory(
  table: string,
  { sinceMs, untilMs }: HistoryRange,
  readRange: ReadRange,
  { newestFirst }: { readonly newestFirst: boolean }
): TableHistory {
  let seen = new Seen()
  return {
    table,
    read: async function* () {
      const commits = readRange({ sinceMs: Math.max(sinceMs, seen.newestMs - LATE_MS), untilMs })
      if (!newestFirst) return yield* unseen(commits, seen)
      // What breaks off before the last has given nothing.
      const after = seen.copy()
      const minutes = await minutesOf(unseen(commits, after))
      seen = after
      yield* minutes
    }
  }
}

/** The commits of late, by version and topic. */
class Seen {
  newestMs = -Infinity
  #times = new Map<string, number>()
  #sweepAt = 1_000

  copy(): Seen {
    const copy = new Seen()
    copy.newestMs = this.newestMs
    copy.#times = new Map(this.#times)
    return copy
  }

  /** Whether it was not there before. */
  add({ version, topic, committedMs }: HistoryEntry): boolean {
    const key = `${version} ${topic}`
    if (this.#times.has(key)) return false
    this.newestMs = Math.max(this.newestMs, committedMs)
    if (committedMs >= this.newestMs - LATE_MS) this.#times.set(key, committedMs)
    if (this.#times.size > this.#sweepAt) this.#sweep()
    return true
  }

  #sweep(): void {
    for (const [key, timeMs] of this.#times) if (timeMs < this.newestMs - LATE_MS) this.#times.delete(key)
    this.#sweepAt = 1_000 + 2 * this.#times.size
  }
}

async function* unseen(entries: AsyncIterable<HistoryEntry>, seen: Seen): AsyncIterable<HistoryEntry> {
  for await (const entry of entries) if (seen.add(entry)) yield entry
}

/** Oldest first: an entry for each minute and topic, of its newest commit's time. */
async function minutesOf(newestFirst: AsyncIterable<HistoryEntry>): Promise<readonly HistoryEntry[]> {
  const minutes = new Map<string, HistoryEntry>()
  for await (const entry of newestFirst) {
    const key = `${Math.floor(entry.committedMs / 60_000)} ${entry.topic}`
    const newer = minutes.get(key)
    minutes.set(key, newer === undefined ? entry : joined(newer, entry))
  }
  return [...minutes.values()].sort((a, b) => a.committedMs - b.committedMs)
}

const joined = (newer: HistoryEntry, older: HistoryEntry): HistoryEntry => ({
  ...newer,
  committedMs: Math.max(newer.committedMs, older.committedMs),
  records: sum(newer.records, older.records),
  deadLetters: sum(newer.deadLetters, older.deadLetters),
  commits: sum(countOf(newer), countOf(older)) ?? 'unknown'
})

/** Undefined when it is unknown. */
export const countOf = ({ commits = 1 }: HistoryEntry): number | undefined =>
  commits === 'unknown' ? undefined : commits

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b
