import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { mergeFields } from '../../../consumer/columns/evolve.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import type { Field } from '../../../consumer/columns/schema.ts'
import { AvroSchemas } from '../../../consumer/decode/avro-reader.ts'
import type { ValueReader } from '../../../consumer/decode/value-reader.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { otherType } from '../../fakes/avro.ts'
import { rowsOf } from '../../fakes/parquet.ts'
import { dataBatch } from '../../fakes/records.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const PARTITION = { topic: 'orders', topicId: 'id', partition: 0 }

function readerOf(registry: FakeRegistry, sink: 'delta' | 'iceberg' = 'iceberg', topic = 'orders'): ValueReader {
  return new AvroSchemas(registry, dialectOf(sink)).reader(topic)
}

function cursorAt(value: Uint8Array | null): RecordCursor {
  const cursor = new RecordCursor()
  cursor.reset(dataBatch(PARTITION, 0, [{ value }]))
  cursor.next()
  return cursor
}

const record = (fields: Record<string, unknown>, name = 'r') => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type }))
})

/** Values of several schemas in one table whose columns grow as they come; rows as another reader has them. */
async function table(
  registry: FakeRegistry,
  values: readonly (readonly [id: number, value: unknown])[],
  schemas: readonly unknown[],
  sink: 'delta' | 'iceberg' = 'iceberg'
): Promise<readonly Record<string, unknown>[]> {
  const reader = readerOf(registry, sink)
  const used = new Map<string, Field>()
  const options = { onIncompatible: 'NewColumn', reserved: new Set<string>(), canWiden: sink === 'iceberg' } as const
  const cursors = values.map(([id, value]) => cursorAt(framed(id, otherType(schemas[id - 1]).toBuffer(value))))
  const merged = cursors.map(cursor => {
    assert.equal(reader.check(cursor), undefined)
    const found = mergeFields([...used.values()], reader.fields, options)
    assert.deepEqual(found.conflicts, [])
    for (const field of found.fields) used.set(field.name, field)
    return found.bindings
  })
  const schema = { fields: [...used.values()], partitionBy: [] }
  const rows = new RowGroupBuffer(schema)
  for (const [index, cursor] of cursors.entries()) {
    reader.check(cursor)
    const bindings = merged[index] ?? []
    reader.append(rows, bindings)
    const bound = new Set(bindings.map(({ target }) => target))
    for (const { node, name } of rows.shape.fields) if (!bound.has(name)) appendAbsent(node, rows)
    rows.endRow()
  }
  return rowsOf(encodeParquet(schema, [rows]))
}

function appendAbsent(node: RowGroupBuffer['shape']['fields'][number]['node'], rows: RowGroupBuffer): void {
  if (node.kind === 'leaf') rows.columns[node.leaf]?.appendNull(0, 0)
  else if (node.kind === 'list') appendAbsent(node.element, rows)
  else for (const field of node.fields) appendAbsent(field.node, rows)
}

test('records without a frame, of unknown schemas or other types say so', () => {
  const registry = new FakeRegistry()
  const id = registry.register(record({ a: 'int' }))
  const json = registry.register({}, { type: 'JSON' })
  const bad = registry.register({ type: 'record', name: 'r', fields: [{ name: 'a', type: 'nothing' }] })
  const reader = readerOf(registry)
  const reasonOf = (value: Uint8Array | null): string => {
    const found = reader.check(cursorAt(value))
    if (found === undefined) return 'none'
    return 'reason' in found ? `${found.stage} ${found.reason}: ${found.message}` : 'pending'
  }
  assert.match(reasonOf(Buffer.from('')), /^Parse NotFramed/)
  assert.match(reasonOf(Buffer.from('{"a": 1}')), /^Parse NotFramed/)
  assert.match(reasonOf(Buffer.from([0, 0, 0, 1])), /^Parse NotFramed/)
  assert.match(reasonOf(framed(77, Buffer.from([0]))), /^Parse UnknownSchema: .* 77$/)
  assert.match(reasonOf(framed(2 ** 32 - 1, Buffer.from([0]))), /UnknownSchema: .* 4294967295$/)
  assert.match(reasonOf(framed(json, Buffer.from('{}'))), /^Parse UnsupportedSchema: schema 2: .*JSON/)
  assert.match(reasonOf(framed(bad, Buffer.from(''))), /^Parse UnsupportedSchema: schema 3: .*"nothing"/)
  assert.match(reasonOf(framed(id, Buffer.from([1, 1]))), /^Parse InvalidAvro: schema 1: 1 bytes follow/)
  assert.match(reasonOf(framed(id, Buffer.from([]))), /^Parse InvalidAvro: schema 1: field a: /)
  assert.equal(reasonOf(framed(id, Buffer.from([2]))), 'none')
  assert.deepEqual([reader.value('a'), reader.value('b'), reader.schemaVersion], [1, undefined, 1])
  assert.equal(reasonOf(null), 'none')
  assert.deepEqual([reader.fields, reader.value('a'), reader.schemaVersion], [[], undefined, undefined])
})

test('a schema that must be fetched first is pending; then the record is read', async () => {
  const registry = new FakeRegistry()
  const { promise, resolve } = Promise.withResolvers<void>()
  const pending = { ready: promise, trouble: 'RegistryUnreachable' }
  const id = registry.hold(pending)
  const reader = readerOf(registry)
  assert.equal(reader.check(cursorAt(framed(id, Buffer.from([2])))), pending)
  registry.release(id)
  resolve()
  await promise
  const found = reader.check(cursorAt(framed(id, Buffer.from([2]))))
  assert.ok(found !== undefined && 'reason' in found && found.reason === 'UnknownSchema')
})

test('readers of several partitions share a schema and its fields', () => {
  const registry = new FakeRegistry()
  const id = registry.register(record({ a: 'int' }))
  const schemas = new AvroSchemas(registry, dialectOf('iceberg'))
  const readers = ['orders', 'others'].map(topic => schemas.reader(topic))
  for (const reader of readers) assert.equal(reader.check(cursorAt(framed(id, Buffer.from([2])))), undefined)
  assert.equal(readers[0]?.fields, readers[1]?.fields)
  assert.deepEqual(
    readers.map(({ schemaVersion }) => schemaVersion),
    [1, undefined]
  )
})

test('the version is that of the subject by any of the usual strategies', () => {
  for (const subject of ['orders-value', 'orders-com.acme.Order', 'com.acme.Order']) {
    const registry = new FakeRegistry(subject)
    registry.register('"string"')
    const id = registry.register({ type: 'record', name: 'Order', namespace: 'com.acme', fields: [] })
    const reader = readerOf(registry)
    assert.equal(reader.check(cursorAt(framed(id, Buffer.alloc(0)))), undefined)
    assert.equal(reader.schemaVersion, 2, subject)
  }
})

test('schemas of several versions share one table: new columns, wider types, nulls where a record has nothing', async () => {
  const decimal = (precision: number) => ({ type: 'bytes', logicalType: 'decimal', precision, scale: 2 })
  const inner = (fields: Record<string, unknown>) => record(fields, 'inner')
  const schemas = [
    record({ a: 'int', f: 'float', d: decimal(5), in: inner({ x: 'int' }), list: { type: 'array', items: 'int' } }),
    record({
      in: inner({ y: 'string', x: 'long' }),
      f: 'double',
      a: 'long',
      d: decimal(30),
      list: { type: 'array', items: ['null', 'long'] },
      extra: { type: 'map', values: 'boolean' }
    }),
    record({ a: 'string' })
  ]
  const registry = new FakeRegistry()
  for (const schema of schemas) registry.register(schema)
  const values = [
    [1, { a: 1, f: 0.5, d: Buffer.from([0x30, 0x39]), in: { x: 7 }, list: [1, 2] }],
    [
      2,
      {
        a: 2n ** 60n,
        f: 0.1,
        d: Buffer.from([0x01, 0, 0, 0, 0, 0, 0, 0, 0]),
        in: { y: 'why', x: 8n },
        list: [null, { long: 3n }],
        extra: { yes: true }
      }
    ],
    [3, { a: 'text' }],
    [1, { a: -1, f: 2, d: Buffer.from([0xff]), in: { x: -7 }, list: [] }]
  ] as const
  for (const sink of ['iceberg', 'delta'] as const) {
    const rows = await table(registry, values, schemas, sink)
    assert.deepEqual(
      rows.map(row => ({ ...row, d: undefined })),
      [
        { a: 1n, f: 0.5, in: { x: 7n, y: null }, list: [1n, 2n], extra: null, a_string: null, d: undefined },
        {
          a: 2n ** 60n,
          f: 0.1,
          in: { x: 8n, y: 'why' },
          list: [null, 3n],
          extra: { yes: true },
          a_string: null,
          d: undefined
        },
        { a: null, f: null, in: null, list: null, extra: null, a_string: 'text', d: undefined },
        { a: -1n, f: 2, in: { x: -7n, y: null }, list: [], extra: null, a_string: null, d: undefined }
      ]
    )
    assert.deepEqual(
      rows.map(({ d }) => d),
      [123.45, Number(2n ** 64n) / 100, null, -0.01]
    )
  }
})

test('unions, recursive and empty records, and values that are no records have columns too', async () => {
  const node = record({ id: 'int', next: ['null', 'node'] }, 'node')
  const schemas = [
    record({
      u: ['null', 'int', 'string', record({ x: 'int' }, 'com.acme.Point')],
      tree: node,
      none: record({}, 'none'),
      nulls: { type: 'array', items: 'null' },
      gone: 'null'
    }),
    '"string"'
  ]
  const registry = new FakeRegistry()
  registry.register(schemas[0])
  registry.register('string')
  const tree = { id: 1, next: { node: { id: 2, next: { node: { id: 3, next: null } } } } }
  const rows = await table(
    registry,
    [
      [1, { u: { 'com.acme.Point': { x: 5 } }, tree, none: {}, nulls: [null, null], gone: null }],
      [1, { u: { string: 'text' }, tree: { id: 9, next: null }, none: {}, nulls: [], gone: null }],
      [1, { u: null, tree, none: {}, nulls: [], gone: null }],
      [2, 'whole']
    ],
    [schemas[0], 'string']
  )
  const next = '{"id":2,"next":{"id":3,"next":null}}'
  assert.deepEqual(rows, [
    {
      u: { int: null, string: null, Point: { x: 5 } },
      tree: { id: 1, next },
      none: '{}',
      nulls: '[null,null]',
      value: null
    },
    {
      u: { int: null, string: 'text', Point: null },
      tree: { id: 9, next: null },
      none: '{}',
      nulls: '[]',
      value: null
    },
    { u: null, tree: { id: 1, next }, none: '{}', nulls: '[]', value: null },
    { u: null, tree: null, none: null, nulls: null, value: 'whole' }
  ])
})

test('rules get plain values', () => {
  const registry = new FakeRegistry()
  const schema = record({
    i: 'int',
    l: 'long',
    big: 'long',
    d: 'double',
    s: 'string',
    n: ['null', 'string'],
    t: { type: 'long', logicalType: 'timestamp-micros' },
    day: { type: 'int', logicalType: 'date' },
    price: { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 },
    e: { type: 'enum', name: 'e', symbols: ['A', 'B'] },
    in: record({ list: { type: 'array', items: 'long' } }, 'inner'),
    map: { type: 'map', values: 'int' },
    b: 'bytes'
  })
  const reader = readerOf(registry)
  const id = registry.register(schema)
  const value = {
    i: 5,
    l: 6n,
    big: 2n ** 62n,
    d: 0.5,
    s: 'text',
    n: null,
    t: 1_700_000_000_123_456n,
    day: 19_000,
    price: Buffer.from([0x30, 0x39]),
    e: 'B',
    in: { list: [1n, -(2n ** 63n)] },
    map: { a: 1 },
    b: Buffer.from([1, 2])
  }
  assert.equal(reader.check(cursorAt(framed(id, otherType(schema).toBuffer(value)))), undefined)
  const names = reader.fields.map(({ name }) => name)
  assert.deepEqual(Object.fromEntries(names.map(name => [name, reader.value(name)])), {
    ...value,
    t: new Date(1_700_000_000_123),
    day: new Date(19_000 * 86_400_000),
    price: 123.45,
    map: new Map([['a', 1]])
  })
})
