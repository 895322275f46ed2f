import type { Output } from './output.ts'

/** A column of a row, or a part of one: goes through the rows beside the others, and writes its own piece of each. */
export interface Part {
  /** Of its first leaf, the definition level of the next entry: how much of it is there. */
  definition(): number
  /** Whether its next entry is another one of the list at that repetition level. */
  continues(repetition: number): boolean
  /** Writes the next one as JSON. */
  write(out: Output): void
  /** Passes over one entry, in which a parent is null or empty. */
  pass(): void
}
