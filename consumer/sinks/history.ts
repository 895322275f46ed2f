import type { Clock } from '../../lib/clock.ts'
import type { ReadSecret } from '../../lib/secrets.ts'

/** What one commit of a table took from one topic, as the table's own records tell. */
export interface HistoryEntry {
  readonly committedMs: number
  /** The commit, in the sink's words: a Delta version, a snapshot id, a commit id. */
  readonly version: string
  /** `namespace/name`; undefined when the commit does not say. */
  readonly pipeline: string | undefined
  readonly topic: string
  /** Rows; undefined when the commit does not say. */
  readonly records: number | undefined
  readonly deadLetters: number | undefined
  /** More than `records` and `deadLetters` together cannot have been; where one of them is undefined. */
  readonly atMost?: number
  /** How many commits it stands for; 1 when undefined. */
  readonly commits?: number | 'unknown'
  /** It stands for all commits after this time, up to `committedMs`. */
  readonly fromMs?: number
}

/** Of commits, both ends included. An end that never comes is Infinity. */
export interface HistoryRange {
  readonly sinceMs: number
  readonly untilMs: number
}

/** One table's past. */
export interface TableHistory {
  readonly table: string
  /**
   * The commits of the range, oldest first but for the differences between their writers' clocks; called again, those
   * that have come since. Throws RetryableError and FatalError; what it gave before is not given again.
   */
  read(): AsyncIterable<HistoryEntry>
}

export interface Histories {
  /** In the order in which the pipeline names them. */
  readonly tables: readonly TableHistory[]
  /** How often it is worth to read again; seldom where each look costs money. */
  readonly lookEveryMs: number
  close(): Promise<void>
}

export interface HistoryPorts {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly onNote: OnNote
}

/** What is to be known of what a table tells, or does not. */
export interface HistoryNote {
  readonly table: string
  /** Goes on after the table's name. */
  readonly message: string
  /** There may have been more in the range than the table knows now. */
  readonly isIncomplete: boolean
}

export type OnNote = (note: HistoryNote) => void
