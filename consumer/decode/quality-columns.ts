import type { SettledQuality } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { RuleSet } from './quality.ts'

/** The columns of one row group that say what the rules found. */
export class QualityColumns {
  readonly #rules: readonly BooleanColumn[]
  readonly #score: NumberColumn

  constructor(rows: RowGroupBuffer, { rules, scoreColumn }: SettledQuality) {
    this.#rules = rules.map(({ name }) => {
      const column = rows.column(name)
      invariant(column instanceof BooleanColumn, `${name} is a column of booleans`)
      return column
    })
    const score = rows.column(scoreColumn)
    invariant(score instanceof NumberColumn, `${scoreColumn} is a column of numbers`)
    this.#score = score
  }

  /** What they said of the record that was judged last; null in all when none was. */
  append(judged: RuleSet | undefined): void {
    if (judged === undefined) {
      for (const column of this.#rules) column.appendNull()
      this.#score.appendNull()
      return
    }
    for (let rule = 0; rule < this.#rules.length; rule++) {
      ;(this.#rules[rule] as BooleanColumn).append(judged.results[rule] === 1)
    }
    this.#score.append(judged.score)
  }
}
