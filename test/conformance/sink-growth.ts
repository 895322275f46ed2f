import assert from 'node:assert/strict'
import { growthIn, type TablePlan } from '../../consumer/columns/bronze.ts'
import { dialectOf, fieldsIn } from '../../consumer/columns/dialect.ts'
import type { ColumnType, Field } from '../../consumer/columns/schema.ts'
import { TableColumns } from '../../consumer/columns/table-columns.ts'
import { randomFrom } from '../chaos/random.ts'
import { randomRow } from '../fakes/columns.ts'
import { batchOf, type PartOptions } from './batches.ts'
import { TOPICS, first, offsets, type Law, type SinkContext, type SinkProcess } from './sink-context.ts'

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })

/** A field of each type that values can have. */
const FIRST: readonly Field[] = [
  field('userName', 'string'),
  field('f_binary', 'binary'),
  field('f_int', 'int'),
  field('f_long', 'long'),
  field('f_float', 'float'),
  field('f_double', 'double'),
  field('f_boolean', 'boolean'),
  field('f_timestamp', 'timestamp'),
  field('f_local', 'timestampNtz'),
  field('f_time', 'time'),
  field('f_date', 'date'),
  field('f_uuid', 'uuid'),
  field('f_fixed', { fixed: 4 }),
  field('f_decimal', { decimal: { precision: 10, scale: 2 } }),
  field('f_whole', { decimal: { precision: 20, scale: 0 } }),
  field('f_struct', { struct: [field('a', 'long')] }),
  field('f_list', { list: { struct: [field('day', 'date')] }, elementNullable: true }),
  field('f_map', { map: { key: 'string', value: 'double', valueNullable: true } })
]

/** The same and more, at the top and within. */
const SECOND: readonly Field[] = [
  field('f_later', 'timestamp'),
  ...FIRST.map(each => {
    if (each.name === 'f_struct') return field(each.name, { struct: [field('a', 'long'), field('b', 'string')] })
    if (each.name !== 'f_list') return each
    return field(each.name, { list: { struct: [field('day', 'date'), field('at', 'time')] }, elementNullable: true })
  })
]

export function growthLaws(law: Law): void {
  law(
    'columns for fields of values are told as they were made, so that all processes bind the same fields alike',
    async context => {
      const one = await grower(context)
      const schema = one.bind(FIRST)
      assert.equal((await one.commit([first(0, 5)])).status, 'committed')
      // Another process knows the table alone.
      const two = await grower(context)
      assert.deepEqual(typesOf(two.bind(FIRST)), typesOf(schema))
      assert.equal((await two.commit([{ from: 5, to: 8 }])).status, 'committed')
      await one.recover()
      assert.deepEqual(typesOf(one.bind(FIRST)), typesOf(schema))
      await context.assertRows(offsets(0, 0, 8))
    }
  )

  law('fields that come later, at the top and within, are one commit with rows that lack them', async context => {
    const [one, two] = [await grower(context), await grower(context)]
    one.bind(FIRST)
    assert.equal((await one.commit([first(0, 5)])).status, 'committed')
    await two.recover()
    const before = two.batch([{ from: 5, to: 7 }], FIRST)
    const after = two.batch([first(0, 3, { partition: 1 })], SECOND)
    const staged = await two.process.sink.stage({ ...before, parts: [...before.parts, ...after.parts] })
    assert.equal((await two.process.sink.commit([staged])).status, 'committed')
    // Who has not seen them goes on as before.
    await one.recover()
    assert.equal((await one.commit([{ from: 7, to: 9 }])).status, 'committed')
    const three = await grower(context)
    assert.deepEqual(typesOf(three.bind(SECOND)), typesOf(two.columns.schema))
    assert.equal((await three.commit([{ from: 3, to: 6, partition: 1 }])).status, 'committed')
    await context.assertRows(offsets(0, 0, 9), offsets(1, 0, 6))
  })
}

/** A process whose table grows by fields of values. */
class Grower {
  readonly process: SinkProcess
  readonly columns: TableColumns
  readonly #context: SinkContext
  readonly #plan: TablePlan
  readonly #random = randomFrom(7, 7)

  constructor(context: SinkContext, process: SinkProcess) {
    this.#context = context
    this.process = process
    this.#plan = { ...context.plan, growth: growthIn(context.harness.kind) }
    this.columns = new TableColumns(this.#plan)
  }

  async recover(): Promise<void> {
    this.columns.recovered((await this.process.sink.recover(TOPICS)).columns)
  }

  /** The schema of rows that have these fields. */
  bind(fields: readonly Field[]) {
    const { conflict } = this.columns.bind(fieldsIn(dialectOf(this.#context.harness.kind), fields), 'DeadLetter')
    assert.equal(conflict, undefined)
    return this.columns.schema
  }

  /** Rows of these fields, or of those that were bound last. */
  batch(parts: readonly PartOptions[], fields?: readonly Field[]) {
    const schema = fields === undefined ? this.columns.schema : this.bind(fields)
    const own = new Set(this.#plan.schema.fields.map(({ name }) => name))
    const further = schema.fields.filter(({ name }) => !own.has(name))
    const more = () => ({
      ...randomRow({ fields: further, partitionBy: [] }, this.#random),
      ...Object.fromEntries(
        further.flatMap(({ name, isJson }) => (isJson === true ? [[name, '{"a": [1, null, "é"]}']] : []))
      )
    })
    return batchOf(
      { ...this.#plan, schema },
      parts.map(part => ({ ...part, more }))
    )
  }

  async commit(parts: readonly PartOptions[]) {
    return await this.process.sink.commit([await this.process.sink.stage(this.batch(parts))])
  }
}

async function grower(context: SinkContext): Promise<Grower> {
  const made = new Grower(context, await context.opened())
  await made.recover()
  return made
}

const typesOf = ({ fields }: { readonly fields: readonly Field[] }): readonly string[] =>
  fields.map(({ name, type, isJson }) => JSON.stringify([name, type, isJson])).toSorted()
