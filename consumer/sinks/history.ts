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
}
