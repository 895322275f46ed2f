import type { HistoryRange } from '../consumer/sinks/history.ts'
import { joined, type HistoryRow } from './history-rows.ts'

/** What went into one table in all that was told. */
export interface HistoryTotal {
  readonly table: string
  readonly topics: readonly string[]
  /** All rows as one; undefined when there was none. */
  readonly sum: HistoryRow | undefined
  /** There may have been more: what the table does not know any more, and rows that are only in part of the range. */
  readonly isIncomplete: boolean
}

export class HistoryTotals {
  readonly #tables: ReadonlyMap<string, { sum: HistoryRow | undefined; isIncomplete: boolean; topics: Set<string> }>

  readonly #range: HistoryRange

  constructor(tables: readonly string[], range: HistoryRange) {
    this.#range = range
    this.#tables = new Map(tables.map(table => [table, { sum: undefined, isIncomplete: false, topics: new Set() }]))
  }

  add(row: HistoryRow): void {
    const total = this.#tables.get(row.table)
    if (total === undefined) return
    const { sinceMs, untilMs } = this.#range
    // Part of it was before or after.
    if (row.fromMs < sinceMs || row.lastCommitMs > untilMs) {
      total.isIncomplete = true
      return
    }
    total.sum = total.sum === undefined ? row : joined(total.sum, row)
    total.topics.add(row.topic)
  }

  markIncomplete(table: string): void {
    const total = this.#tables.get(table)
    if (total !== undefined) total.isIncomplete = true
  }

  get all(): readonly HistoryTotal[] {
    return [...this.#tables].map(([table, { sum, isIncomplete, topics }]) => ({
      table,
      topics: [...topics].sort(),
      sum,
      isIncomplete
    }))
  }
}
