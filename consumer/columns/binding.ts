/**
 * How one field of incoming values lands in a column. Fields without a binding do not exist: what cannot be bound makes the
 * record a dead letter, or stops the consumer.
 */
export interface Binding {
  /** Name of the incoming field. */
  readonly source: string
  /** Name of the column, or of the field within its struct. */
  readonly target: string
  /** Of a struct, and of the struct reached through lists and the values of maps: how its fields land. */
  readonly inner?: readonly Binding[]
}
