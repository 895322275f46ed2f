import type { SettledPipeline, SnowflakeSink } from '../../../crds/settled.ts'
import type { Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import type { Field } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import { backOff, TROUBLE_BACKOFF } from '../attempts.ts'
import { adopted } from './sql/adopt.ts'
import { initStatements } from './sql/init.ts'
import { addSentinel } from './sql/ledger-table.ts'
import {
  foundObjects,
  lookForColumns,
  lookForSchema,
  lookForStage,
  tableColumns,
  type FoundObjects
} from './sql/look.ts'
import { tableObjects, type TableObjects } from './sql/objects.ts'
import { StatementError } from './session/errors.ts'
import type { Statement } from './session/session.ts'
import { snowflakeTable, type SnowflakeTable } from './sql/table.ts'
import type { TableSession } from './table-session.ts'

export interface TableStateOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly snowflake: SnowflakeSink
  readonly clock: Clock
}

/** Others may be creating the same objects just now. */
const ATTEMPTS = 8

/** What of a table's objects was there when we looked last, and what the statements make of it. */
export class TableState {
  readonly objects: TableObjects
  readonly #session: TableSession
  readonly #options: TableStateOptions
  #found: FoundObjects | undefined

  constructor(session: TableSession, options: TableStateOptions) {
    const { plan, snowflake } = options
    this.#session = session
    this.#options = options
    this.objects = tableObjects(snowflake, plan.table, plan.deadLetterTable)
  }

  get table(): SnowflakeTable {
    return this.tableWith([])
  }

  /** With fields beyond those of the plan. */
  tableWith(fields: readonly Field[]): SnowflakeTable {
    const { plan, pipeline, snowflake } = this.#options
    const known = new Set(plan.schema.fields.map(({ name }) => name))
    const further = new Map(fields.filter(({ name }) => !known.has(name)).map(field => [field.name, field]))
    const schema = { ...plan.schema, fields: [...plan.schema.fields, ...further.values()] }
    const planned = snowflakeTable(further.size === 0 ? plan : { ...plan, schema }, pipeline, snowflake)
    return this.#found === undefined ? planned : adopted(planned, this.#found)
  }

  /** Creates what is missing; looks first, since a role that may not create can do with what an administrator created. */
  async open(): Promise<void> {
    await this.#complete([])
    const { ledgerRef } = this.objects
    const { rows } = await this.#session.run({
      text: `SELECT COUNT(*) AS SENTINELS FROM ${ledgerRef} WHERE TOPIC = ''`
    })
    if (Number(rows[0]?.['SENTINELS']) > 0) return
    await this.#session.begin()
    await this.#session.run(addSentinel(this.objects))
    await this.#session.commit()
  }

  /** Looks again. FatalError `TableDropped` when the table that we opened is gone, `RolledBack` when it is another one. */
  async refresh(): Promise<readonly TableColumn[]> {
    const found = await this.#look()
    const { tableRef, deadLetterRef, ledgerRef, commitsRef, stageRef } = this.objects
    const gone = [
      ...(found.table === undefined ? [tableRef] : []),
      ...(found.deadLetters === undefined && deadLetterRef !== undefined ? [deadLetterRef] : []),
      ...(found.ledger === undefined ? [ledgerRef] : []),
      ...(found.commits === undefined ? [commitsRef] : []),
      ...(found.hasStage ? [] : [stageRef])
    ]
    if (gone.length > 0) {
      throw new FatalError(
        'TableDropped',
        `${gone.join(', ')} was dropped, or is not to be seen by the role any more, while the pipeline ran. UNDROP it, or restart ` +
          'the consumers to create it anew: a table goes on by its offsets table, and without one it begins anew.'
      )
    }
    // Throws when it is not the table that we opened, or takes our rows no more. A column that somebody dropped is added again, as
    // it would be when a consumer starts.
    await this.#complete([], found)
    return this.#named(tableColumns(this.#found ?? found))
  }

  /** RetryableError `SchemaMoved` when the table has got such a column of another type. */
  async addFields(fields: readonly Field[]): Promise<void> {
    if (fields.length === 0 || this.#isComplete(fields)) return
    try {
      await this.#complete(fields)
    } catch (error) {
      if (!(error instanceof FatalError) || error.reason !== 'IncompatibleTable') throw error
      throw new RetryableError('SchemaMoved', 'the table has a column that cannot take ours', { cause: error })
    }
  }

  /** `found`: when it was looked just now. */
  async #complete(fields: readonly Field[], found?: FoundObjects): Promise<void> {
    let trouble: StatementError | undefined
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (trouble !== undefined) await backOff(this.#options.clock, attempt, TROUBLE_BACKOFF)
      if (attempt > 1 || found === undefined) await this.#look()
      const missing = this.#missing(fields)
      if (missing.length === 0) return
      for (const statement of missing) {
        try {
          await this.#session.run(statement)
        } catch (error) {
          if (!(error instanceof StatementError)) throw error
          trouble = error
          break
        }
      }
    }
    throw trouble ?? new RetryableError('SnowflakeRefused', `${this.objects.tableRef} is not what was created`)
  }

  #isComplete(fields: readonly Field[]): boolean {
    return this.#found !== undefined && this.#missing(fields).length === 0
  }

  #missing(fields: readonly Field[]): readonly Statement[] {
    return initStatements(this.tableWith(fields), this.#found)
  }

  /** By our own names, which differ in case alone. */
  #named(columns: readonly TableColumn[]): readonly TableColumn[] {
    const ours = new Map(this.#options.plan.schema.fields.map(({ name }) => [name.toUpperCase(), name]))
    return columns.map(column => ({ ...column, name: ours.get(column.name) ?? column.name.toLowerCase() }))
  }

  async #look(): Promise<FoundObjects> {
    const { rows: schema } = await this.#inDatabase(async () => await this.#session.run(lookForSchema(this.objects)))
    const { rows: columns } = await this.#session.run(lookForColumns(this.objects))
    const stage = schema.length === 0 ? [] : (await this.#session.run(lookForStage(this.objects))).rows
    this.#found = foundObjects(this.objects, { schema, columns, stage })
    return this.#found
  }

  async #inDatabase<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StatementError && error.refusal === 'ObjectMissing')) throw error
      throw new FatalError(
        'SnowflakeObjectMissing',
        `There is no database ${this.objects.database} for the role of spec.sink.snowflake.role. Check spec.sink.snowflake.database, and ` +
          'GRANT USAGE ON DATABASE to the role.'
      )
    }
  }
}
