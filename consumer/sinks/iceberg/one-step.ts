import { invariant } from '../../../lib/errors.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { TableChange } from './commit.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { PendingDeadLetters } from './state.ts'
import type { IcebergTable, Prepared, SendChange } from './table.ts'

/**
 * A commit of rows and the publication of its dead letters in one request (`transactions/commit`). What the catalog answers is
 * not enough: both tables are loaded afterwards, and what is not there is made again.
 */
export class OneStep {
  readonly #catalog: Catalog
  readonly #main: IcebergTable
  readonly #own: IcebergTable
  readonly #deadLetters: DeadLetters
  #second: TableChange | undefined
  #attempts = 0

  constructor(tables: {
    readonly catalog: Catalog
    readonly main: IcebergTable
    readonly own: IcebergTable
    readonly deadLetters: DeadLetters
  }) {
    this.#catalog = tables.catalog
    this.#main = tables.main
    this.#own = tables.own
    this.#deadLetters = tables.deadLetters
  }

  /** Adds the dead letters to an attempt. */
  async prepare(first: Prepared, decided: PendingDeadLetters): Promise<Prepared> {
    if (this.#attempts++ > 0) await this.#own.refresh()
    const second = await this.#deadLetters.prepare(decided)
    this.#second = second.change
    // Only the main table is looked at before files are deleted: those of the other one stay.
    return first
  }

  readonly send: SendChange = async change => {
    invariant(this.#second !== undefined, 'a step of two tables has two changes')
    const answer = await this.#catalog.commitTransaction([
      { table: this.#main.id, change },
      { table: this.#own.id, change: this.#second }
    ])
    if (answer === 'conflict') return answer
    // Says so itself when it is the table that is gone.
    await this.#own.refresh()
    if (answer === 'gone') return answer
    const loaded = await this.#catalog.loadTable(this.#main.id)
    return loaded === undefined ? 'gone' : { metadata: loaded.metadata }
  }
}
