/** One change of one table, all or nothing, in the shapes of the REST protocol (`CommitTableRequest`). */
export interface TableChange {
  readonly requirements: readonly object[]
  readonly updates: readonly object[]
}
