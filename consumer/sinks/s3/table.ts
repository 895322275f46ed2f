import type { S3Sink } from '../../../crds/settled.ts'
import { randomId, type Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { Field } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { untilDone } from '../attempts.ts'
import { refuseForeign } from './foreign.ts'
import { tableObjectNumber, tableObjectPath, tableObjects } from './names.ts'
import { columnsWith, formatTable, parseTable, tableColumns, type TableObject } from './table-object.ts'

export interface S3TableOptions {
  /** Rooted at the sink's location. */
  readonly store: ObjectStore
  readonly name: string
  readonly layout: S3Sink['layout']
  /** The pipeline's own columns. */
  readonly fields: readonly Field[]
  readonly clock: Clock
  readonly log: Log
  readonly commitAttempts: number
}

/** One table as its newest own object describes it. Rows are not its business. */
export class S3Table {
  readonly #options: S3TableOptions
  #object: TableObject | undefined

  constructor(options: S3TableOptions) {
    this.#options = options
  }

  get columns(): readonly TableColumn[] {
    return tableColumns(this.#current(), this.#options.fields)
  }

  /** Creates the table or checks the one that is there, and adds columns it lacks. Many processes may do so at once. */
  async open(): Promise<void> {
    const { store, name, layout, fields, clock } = this.#options
    await this.#untilDone('its creation', async () => {
      const newest = await readTableObject(store, name)
      if (newest !== undefined) return this.#see(newest)
      await refuseForeign(store, name)
      return await this.#write({ number: 0, id: randomId(clock), layout, columns: [], isDropped: false }, fields)
    })
    await this.#add(fields, false)
  }

  /** Reads what the table is now. FatalError when it was dropped, or is another one. */
  async refresh(): Promise<void> {
    const { store, name } = this.#options
    const newest = await readTableObject(store, name)
    if (newest === undefined) throw dropped(name)
    this.#see(newest)
  }

  /**
   * To be called before each commit: a table that was dropped, and perhaps created anew since, must not get a commit that goes on
   * from where the old one was. A drop takes these objects away before anything else.
   */
  async verify(): Promise<void> {
    const { store, name } = this.#options
    const { number } = this.#current()
    const path = tableObjectPath(name, number)
    const bytes = await store.get(path)
    if (bytes === undefined) throw dropped(name)
    this.#see(parseTable(bytes, number, path))
  }

  /** Before rows that have these columns beside the pipeline's own are written. RetryableError `SchemaMoved` when one does not fit. */
  async addColumns(fields: readonly Field[]): Promise<void> {
    await this.#add(fields, true)
  }

  async #add(fields: readonly Field[], mayMove: boolean): Promise<void> {
    const { name } = this.#options
    const { columns } = this.#current()
    if (columnsWith(this.#current(), fields, name, mayMove) === columns) return
    await this.#untilDone('an added column', async attempt => {
      if (attempt > 1) await this.refresh()
      const object = this.#current()
      if (columnsWith(object, fields, name, mayMove) === object.columns) return true
      return await this.#write({ ...object, number: object.number + 1 }, fields, mayMove)
    })
  }

  /** The object with what it lacks of the fields; undefined when somebody else was faster. */
  async #write(object: TableObject, fields: readonly Field[], mayMove = false): Promise<true | undefined> {
    const { store, name } = this.#options
    const next = { ...object, columns: columnsWith(object, fields, name, mayMove) }
    const written = await store.putIfAbsent(tableObjectPath(name, next.number), [formatTable(next)])
    return written === 'created' ? this.#see(next) : undefined
  }

  #see(object: TableObject): true {
    const { name, layout } = this.#options
    if (object.isDropped) throw halfDropped(name)
    if (this.#object !== undefined && this.#object.id !== object.id) throw replaced(name)
    if (object.layout !== layout) throw otherLayout(name, object.layout, layout)
    if (this.#object === undefined || this.#object.number < object.number) this.#object = object
    return true
  }

  #current(): TableObject {
    invariant(this.#object !== undefined, `S3 table ${this.#options.name} is open`)
    return this.#object
  }

  async #untilDone(what: string, attempt: (count: number) => Promise<true | undefined>): Promise<void> {
    await untilDone({ ...this.#options, title: `S3 table ${this.#options.name}` }, what, attempt)
  }
}

/** The newest, in two requests; undefined when there is no table. */
export async function readTableObject(store: ObjectStore, table: string): Promise<TableObject | undefined> {
  for await (const { path } of store.list(tableObjects(table), undefined, 1)) {
    const number = tableObjectNumber(path)
    const bytes = number === undefined ? undefined : await store.get(path)
    if (number !== undefined && bytes !== undefined) return parseTable(bytes, number, path)
    throw number === undefined
      ? new FatalError(
          'ForeignObject',
          `${path} is not one of ours. Remove it, or name another table in spec.topics[].table.`
        )
      : new RetryableError('TableChanging', `${path} has just gone`)
  }
  return undefined
}

const dropped = (table: string): FatalError =>
  new FatalError(
    'TableDropped',
    `S3 table ${table} is gone. If it was dropped on purpose restart the consumers: they create it anew and begin at startFrom.`
  )

const halfDropped = (table: string): FatalError =>
  new FatalError(
    'TableHalfDropped',
    `A drop of S3 table ${table} was cut off. Run bronze clean again, or name another table in spec.topics[].table.`
  )

const replaced = (table: string): FatalError =>
  new FatalError(
    'TableReplaced',
    `S3 table ${table} is not the one this consumer opened: it was dropped and created anew. Restart the consumers to go on from what it holds.`
  )

const otherLayout = (table: string, theirs: string, ours: string): FatalError =>
  new FatalError(
    'IncompatibleTable',
    `S3 table ${table} has layout ${theirs}, the pipeline ${ours}: readers could not read both. ` +
      `Set spec.sink.s3.layout to ${theirs}, or name another table in spec.topics[].table.`
  )
