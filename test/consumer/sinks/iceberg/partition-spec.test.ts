import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType, PartitionField, TableSchema } from '../../../../consumer/columns/schema.ts'
import { transformed } from '../../../../consumer/columns/transforms.ts'
import { createRequest } from '../../../../consumer/sinks/iceberg/create.ts'
import type { TableMetadata } from '../../../../consumer/sinks/iceberg/metadata.ts'
import { parseMetadata } from '../../../../consumer/sinks/iceberg/parse-metadata.ts'
import { partitionPath } from '../../../../consumer/sinks/iceberg/partition-path.ts'
import { checkSpec, partitionSpec, tupleFields } from '../../../../consumer/sinks/iceberg/partition-spec.ts'
import { icebergSchema } from '../../../../consumer/sinks/iceberg/schema.ts'
import { sortOrderIdFor } from '../../../../consumer/sinks/iceberg/sort-order.ts'
import { parseJson, stringifyJson } from '../../../../consumer/sinks/json.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { newTable, type CreateJson } from '../../../fakes/iceberg-metadata.ts'
import { UUID } from './lineage.ts'

const COLUMNS: Readonly<Record<string, ColumnType>> = {
  at: 'timestamp',
  topic: 'string',
  n: 'long',
  price: { decimal: { precision: 9, scale: 2 } },
  day: 'date',
  id: 'uuid',
  raw: 'binary',
  nested: { struct: [{ name: 'x', type: 'int', nullable: true }] }
}
const schema: TableSchema = {
  fields: Object.entries(COLUMNS).map(([name, type]) => ({ name, type, nullable: true })),
  partitionBy: [],
  sortBy: ['topic', 'n']
}
const by = (column: string, transform: PartitionField['transform'], name = `${column}_p`): PartitionField => ({
  column,
  transform,
  name
})

function tableOf(partitionFields: readonly PartitionField[], sortBy = schema.sortBy ?? []): TableMetadata {
  const options = { table: 'db.t', name: 't', location: 's3://b/t', formatVersion: 2 as const }
  const request = createRequest({ ...options, schema: { ...schema, partitionFields, sortBy } })
  const json = newTable(parseJson(stringifyJson(request)) as CreateJson, { uuid: UUID, location: 's3://b/t', nowMs: 1 })
  return parseMetadata(json, 'db.t')
}

test('a table that we create is partitioned and sorted as asked, with ids and properties of its own', () => {
  const request = createRequest({
    table: 'db.t',
    name: 't',
    location: undefined,
    formatVersion: 3,
    schema: { ...schema, partitionFields: [by('at', 'hour', 'at_hour'), by('topic', { bucket: 16 })] }
  }) as Readonly<Record<string, unknown>>
  assert.deepEqual(request['partition-spec'], {
    'spec-id': 0,
    fields: [
      { 'source-id': 1, 'field-id': 1000, name: 'at_hour', transform: 'hour' },
      { 'source-id': 2, 'field-id': 1001, name: 'topic_p', transform: 'bucket[16]' }
    ]
  })
  assert.deepEqual(request['write-order'], {
    'order-id': 1,
    fields: [2, 3].map(id => ({
      transform: 'identity',
      'source-id': id,
      direction: 'asc',
      'null-order': 'nulls-first'
    }))
  })
  assert.equal('location' in request, false)
  assert.equal((request['properties'] as Record<string, string>)['format-version'], '3')
})

test('a transform that does not apply, and a column that is missing or nested, are refused by name', () => {
  for (const field of [
    by('topic', 'hour'),
    by('absent', 'identity'),
    by('nested', 'identity'),
    by('id', { truncate: 2 })
  ])
    assert.throws(
      () => partitionSpec(icebergSchema(schema, 't'), [field], 'db.t'),
      error =>
        error instanceof FatalError && error.reason === 'InvalidPartitioning' && error.message.includes(field.column)
    )
})

test('an existing table keeps its spec: the same under other names is ours, another one is refused with both named', () => {
  const table = tableOf([by('at', 'hour', 'other_name'), by('topic', { bucket: 16 })])
  assert.equal(checkSpec(table, [by('AT', 'hour'), by('topic', { bucket: 16 })], 'db.t')['spec-id'], 0)
  for (const ours of [
    [],
    [by('at', 'day')],
    [by('topic', { bucket: 16 }), by('at', 'hour')],
    [by('at', 'hour'), by('topic', { bucket: 8 })]
  ])
    assert.throws(
      () => checkSpec(table, ours, 'db.t'),
      error =>
        error instanceof FatalError &&
        error.reason === 'IncompatibleTable' &&
        /partitioned by hour\(at\), bucket\[16]\(topic\), the pipeline asks for/.test(error.message)
    )
  const unknown = {
    ...table,
    specs: table.specs.map(each => ({ ...each, fields: each.fields.map(field => ({ ...field, transform: 'zorder' })) }))
  }
  assert.throws(() => checkSpec(unknown, [by('at', 'hour')], 'db.t'), /zorder\(at\)/)
  const [spec] = unknown.specs
  assert.ok(spec !== undefined && tupleFields(spec, icebergSchema(schema, 't')) === undefined)
})

test('files are marked with the longest order of the table that they keep', () => {
  const orders = (sortBy: readonly string[], files: readonly string[]) => sortOrderIdFor(tableOf([], sortBy), files)
  assert.equal(orders(['topic', 'n'], ['topic', 'n']), 1)
  assert.equal(orders(['topic'], ['topic', 'n']), 1)
  assert.equal(orders(['topic', 'n'], ['topic']), undefined)
  assert.equal(orders(['n'], ['topic', 'n']), undefined)
  assert.equal(orders([], ['topic']), undefined)
})

test('folders name partition values as people read them, and no value can leave its folder', () => {
  const micros = (text: string) => BigInt(Date.parse(text)) * 1_000n
  const cases: readonly [PartitionField, unknown, string][] = [
    [by('at', 'hour', 'at_hour'), micros('2026-11-21T14:59:00Z'), 'at_hour=2026-11-21-14/'],
    [by('at', 'hour'), micros('1969-12-31T23:00:00Z'), 'at_p=1969-12-31-23/'],
    [by('at', 'day'), micros('2026-11-21T14:59:00Z'), 'at_p=2026-11-21/'],
    [by('at', 'month'), micros('1969-02-01T00:00:00Z'), 'at_p=1969-02/'],
    [by('at', 'year'), micros('1969-02-01T00:00:00Z'), 'at_p=1969/'],
    [by('at', 'identity', 'at'), micros('2026-11-21T14:59:00Z') + 7n, 'at=2026-11-21T14%3A59%3A00.000007%2B00%3A00/'],
    [by('at', 'identity', 'at'), -1n, 'at=1969-12-31T23%3A59%3A59.999999%2B00%3A00/'],
    [by('day', 'identity', 'day'), 20_000, 'day=2024-10-04/'],
    [by('topic', 'identity', 'topic'), '../a b/=%\u0000ü', 'topic=..%2Fa%20b%2F%3D%25%00%C3%BC/'],
    [by('topic', 'identity', 'topic'), null, 'topic=null/'],
    [by('topic', { bucket: 4 }), 'iceberg', 'topic_p=1/'],
    [by('price', { truncate: 50 }), -1n, 'price_p=-0.50/'],
    [by('id', 'identity', 'id'), 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'id=f79c3e09-677c-4bbd-a479-3f349cb785e7/'],
    [by('raw', 'identity', 'raw'), Buffer.from([255, 254]), 'raw=%2F%2F4%3D/'],
    [by('n', { truncate: 10 }, 'n'), -1n, 'n=-10/']
  ]
  for (const [field, value, expected] of cases) {
    const ours = icebergSchema(schema, 't')
    const tuple = tupleFields(partitionSpec(ours, [field], 't'), ours) ?? []
    const values = tuple.map(({ transform, sourceType }) => transformed(transform, sourceType, value as string | null))
    assert.equal(partitionPath(tuple, values), expected)
  }
  const ours = icebergSchema(schema, 't')
  const tuple = tupleFields(partitionSpec(ours, [by('topic', 'identity')], 't'), ours) ?? []
  const long = partitionPath(tuple, ['ü'.repeat(1_000)])
  assert.ok(long.length < 220)
  assert.equal(partitionPath([], []), '')
  assert.doesNotThrow(() => decodeURIComponent(long.replace(/(?:%C3)?\/$/, '')))
})
