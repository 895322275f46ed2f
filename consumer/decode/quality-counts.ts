/** What the rules of an entry said of the rows of one buffer. */
export class QualityCounts {
  /** Their names. */
  readonly rules: readonly string[]
  rows = 0
  /** Sum of the scores of the rows. */
  scoreSum = 0
  /** Rows for which each rule holds, in the order of the rules. */
  readonly passed: Float64Array
  /** Rows for which each rule had no answer. */
  readonly errors: Float64Array

  constructor(rules: readonly string[]) {
    this.rules = rules
    this.passed = new Float64Array(rules.length)
    this.errors = new Float64Array(rules.length)
  }

  /** Undefined is no answer. */
  add(rule: number, answer: boolean | undefined): void {
    if (answer === true) this.passed[rule] = (this.passed[rule] as number) + 1
    else if (answer === undefined) this.errors[rule] = (this.errors[rule] as number) + 1
  }

  endRow(score: number): void {
    this.rows++
    this.scoreSum += score
  }
}
