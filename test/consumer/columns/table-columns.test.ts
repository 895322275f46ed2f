import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import type { ColumnType, Field } from '../../../consumer/columns/schema.ts'
import { TableColumns } from '../../../consumer/columns/table-columns.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'

const SPEC = 'topics: [{name: orders, table: bronze.orders, format: Json, schema: {mode: Inferred}}]'
const ICEBERG = `sink: {iceberg: {catalog: {uri: "http://c"}}}\n${SPEC}`

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })

function columnsOf(spec = ICEBERG): { readonly columns: TableColumns; readonly own: number } {
  const [plan] = planTables(pipelineOf(spec))
  assert.ok(plan !== undefined)
  return { columns: new TableColumns(plan), own: plan.schema.fields.length }
}

const grown = ({ columns, own }: ReturnType<typeof columnsOf>) =>
  columns.schema.fields.slice(own).map(({ name, type }) => [name, type])

test('the schema is another object exactly when columns change, and columns that stay are the same objects', () => {
  const table = columnsOf()
  const { columns } = table
  const [a, ab] = [[field('a', 'int')], [field('b', 'string'), field('a', 'int')]]
  const first = columns.bind(a, 'DeadLetter')
  const { schema, known } = columns
  assert.equal(columns.bind(a, 'DeadLetter'), first)
  columns.bind([field('A', 'int')], 'DeadLetter')
  assert.equal(columns.schema, schema)
  assert.equal(columns.known, known)
  columns.bind(ab, 'DeadLetter')
  assert.notEqual(columns.schema, schema)
  assert.deepEqual(grown(table), [
    ['a', 'int'],
    ['b', 'string']
  ])
  assert.equal(columns.schema.fields.at(-2), schema.fields.at(-1))
  columns.bind([field('a', 'long')], 'DeadLetter')
  assert.deepEqual(grown(table), [
    ['a', 'long'],
    ['b', 'string']
  ])
})

test('a conflict adds nothing, is told each time, and stops where the policy says so', () => {
  const table = columnsOf()
  const { columns } = table
  columns.bind([field('a', 'int')], 'DeadLetter')
  const wrong = [field('a', 'string'), field('c', 'int')]
  assert.deepEqual(columns.bind(wrong, 'DeadLetter'), {
    bindings: [],
    conflict: 'a is string, which the column of its name (int) cannot take'
  })
  assert.deepEqual(grown(table), [['a', 'int']])
  assert.throws(() => columns.bind(wrong, 'Stop'), {
    reason: 'IncompatibleSchema',
    message: /bronze\.orders.*a is string/
  })
  assert.equal(columns.bind(wrong, 'NewColumn').bindings[0]?.target, 'a_string')
})

test('what the table has got since is taken over; what cannot be agreed on is decided anew', () => {
  const table = columnsOf()
  const { columns } = table
  const x = [field('x', 'long')]
  columns.bind([...x, field('y', 'int'), field('z', 'date')], 'NewColumn')
  columns.recovered([field('X', 'string'), field('Y', 'long'), field('other', 'date'), field('_kafka_offset', 'long')])
  assert.deepEqual(grown(table), [
    ['Y', 'long'],
    ['z', 'date']
  ])
  assert.deepEqual(
    columns.known.map(({ name, type }) => [name, type]),
    [
      ['X', 'string'],
      ['Y', 'long'],
      ['other', 'date'],
      ['z', 'date']
    ]
  )
  assert.equal(columns.bind(x, 'NewColumn').bindings[0]?.target, 'x_long')
  const { schema } = columns
  columns.recovered([field('X', 'string'), field('Y', 'long'), field('z', 'date'), field('x_long', 'long')])
  assert.equal(columns.schema, schema, 'nothing changed')
})

test('a field cannot take the name of a partition field', () => {
  const { columns } = columnsOf()
  assert.match(columns.bind([field('_ingested_at_day', 'date')], 'DeadLetter').conflict ?? '', /name of another column/)
})

test('on Delta a narrower column of others is a conflict', () => {
  const { columns } = columnsOf(SPEC)
  columns.recovered([field('n', 'int')])
  assert.match(columns.bind([field('n', 'long')], 'DeadLetter').conflict ?? '', /n is long/)
})
