import type { HistoryEntry, HistoryRange, TableHistory } from './history.ts'

/** A commit has its time before it can be seen: this much later it is still found. */
export const LATE_MS = 5 * 60_000

/** Reads a table's commits of a range, once. */
export type ReadRange = (range: HistoryRange) => AsyncIterable<HistoryEntry>

/**
 * The past of a table that is asked by time and answers oldest first: what came since is what a range that overlaps the one before
 * has beside it.
 */
export function followedHistory(table: string, { sinceMs, untilMs }: HistoryRange, readRange: ReadRange): TableHistory {
  const seen = new Seen()
  return {
    table,
    read: async function* () {
      const from = Math.max(sinceMs, seen.newestMs - LATE_MS)
      for await (const entry of readRange({ sinceMs: from, untilMs })) if (seen.add(entry)) yield entry
    }
  }
}

/** The commits of late. */
class Seen {
  newestMs = -Infinity
  readonly #times = new Map<string, number>()
  #sweepAt = 1_000

  /** Whether it was not there before. */
  add(entry: HistoryEntry): boolean {
    const key = commitKey(entry)
    if (this.#times.has(key)) return false
    this.#times.set(key, entry.committedMs)
    this.newestMs = Math.max(this.newestMs, entry.committedMs)
    if (this.#times.size > this.#sweepAt) this.#sweep()
    return true
  }

  #sweep(): void {
    for (const [key, timeMs] of this.#times) if (timeMs < this.newestMs - LATE_MS) this.#times.delete(key)
    this.#sweepAt = 1_000 + 2 * this.#times.size
  }
}

export const commitKey = ({ version, topic }: HistoryEntry): string => `${version} ${topic}`

/** How many commits an entry stands for; undefined when it is unknown. */
export const countOf = ({ commits = 1 }: HistoryEntry): number | undefined =>
  commits === 'unknown' ? undefined : commits
