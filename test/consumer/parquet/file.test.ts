import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata, parquetSchema } from 'hyparquet'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import type { Field, TableSchema } from '../../../consumer/columns/schema.ts'
import { encodeParquet, type EncodedFile } from '../../../consumer/parquet/file.ts'
import { randomFrom } from '../../chaos/random.ts'
import { asRead, randomRow, randomSchema } from '../../fakes/columns.ts'
import { rowsOf } from '../../fakes/parquet.ts'

test('random rows of random schemas come back from another project’s reader', async () => {
  for (let seed = 0; seed < 80; seed++) {
    const random = randomFrom(seed, 3)
    const schema = randomSchema(random)
    const sizes = [Math.floor(random() * 40), Math.floor(random() * 3), seed === 0 ? 17_000 : 5]
    const groups = sizes.map(size => Array.from({ length: size }, () => randomRow(schema, random)))
    const file = encodeParquet(
      schema,
      groups.map(rows => filled(schema, rows))
    )
    assert.equal(file.rows, groups.flat().length)
    const expected = groups.flat().map(row => asRead(schema, row))
    // Not deepEqual: its account of what differs can take minutes.
    assert.ok(isDeepStrictEqual(await rowsOf(file), expected), `seed ${seed}: ${JSON.stringify(schema)}`)
  }
})

test('encoding twice gives the same bytes, also after more rows came between', async () => {
  const schema = table([{ name: 'n', type: 'long', nullable: false }])
  const group = filled(schema, [{ n: 1 }, { n: 2 }])
  const first = Buffer.concat(encodeParquet(schema, [group]).chunks)
  assert.ok(first.equals(Buffer.concat(encodeParquet(schema, [group]).chunks)))
  group.appendRow({ n: 3 })
  assert.deepEqual(await rowsOf(encodeParquet(schema, [group])), [{ n: 1n }, { n: 2n }, { n: 3n }])
})

test('a file without rows has its columns', () => {
  const schema = table([{ name: 'n', type: 'long', nullable: true }])
  const file = encodeParquet(schema, [new RowGroupBuffer(schema)])
  assert.equal(file.rows, 0)
  assert.equal(metadataOf(file).num_rows, 0n)
  assert.deepEqual(
    parquetSchema(metadataOf(file)).children.map(({ element }) => element.name),
    ['n']
  )
})

test('constants hold in every row, partition fields are not in the file, columns never touched are null', async () => {
  const fields: Field[] = [
    { name: 'n', type: 'int', nullable: false },
    { name: 'topic', type: 'string', nullable: false },
    { name: 'at', type: 'timestamp', nullable: true },
    { name: 'flag', type: 'boolean', nullable: true },
    { name: 'day', type: 'date', nullable: false },
    { name: 'none', type: { list: 'string', elementNullable: true }, nullable: true }
  ]
  const schema = { fields, partitionBy: ['day'] }
  const group = new RowGroupBuffer(schema)
  group.setConstant('topic', 'orders')
  group.setConstant('flag', true)
  group.setConstant('day', 19_000)
  for (let n = 0; n < 1000; n++) group.appendRow({ n })
  group.setConstant('at', 1_700_000_000_000_000n)
  group.setConstant('topic', 'sales')
  const file = encodeParquet(schema, [group])
  const rows = await rowsOf(file)
  assert.equal(rows.length, 1000)
  const at = new Date(1_700_000_000_000)
  for (const [n, row] of rows.entries()) {
    assert.deepEqual(row, { n, topic: 'sales', at, flag: true, none: null })
  }
  assert.partialDeepStrictEqual(file.columns.get('topic'), { min: 'sales', max: 'sales', nullCount: 0, entries: 1000 })
  assert.equal(file.columns.get('none.list.element')?.nullCount, 1000)
  assert.equal(file.columns.has('day'), false)
  assert.throws(() => group.setConstant('n', 1), /constant or has values/)
  assert.throws(() => group.setConstant('other', 1), /is a column/)
})

test('a row that lacks a column that must not be null is refused', () => {
  const schema = table([{ name: 'n', type: 'int', nullable: false }])
  assert.throws(() => filled(schema, [{}]), TypeError)
  assert.throws(() => filled(schema, [{ n: 'x' }]), TypeError)
  const group = new RowGroupBuffer(schema)
  group.endRow()
  assert.throws(() => encodeParquet(schema, [group]), /not nullable/)
})

test('statistics bound all values, merged over row groups', () => {
  const fields = (['string', 'long', 'double', 'float', 'int', 'boolean', 'timestamp', 'date', 'binary'] as const).map(
    type => ({
      name: type,
      type,
      nullable: true
    })
  )
  const schema = table([...fields, { name: 'quiet', type: 'string', nullable: true, unbounded: true }])
  const empty = {
    string: null,
    long: null,
    double: null,
    float: null,
    int: null,
    boolean: null,
    timestamp: null,
    date: null
  }
  const file = encodeParquet(schema, [
    filled(schema, [
      {
        ...empty,
        string: 'ä',
        long: -5,
        double: 0,
        int: 7,
        boolean: true,
        timestamp: 10,
        binary: Buffer.of(1),
        quiet: 'q'
      },
      { ...empty, string: 'z', long: 2n ** 60n, double: -0.5, float: 1.5, int: -7, boolean: true, date: 3 }
    ]),
    filled(schema, [{ ...empty, string: '\u{1F600}', double: 3, boolean: false }, empty])
  ])
  const bounds = (column: string) => [
    file.columns.get(column)?.min,
    file.columns.get(column)?.max,
    file.columns.get(column)?.nullCount
  ]
  assert.deepEqual(bounds('string'), ['z', '\u{1F600}', 1])
  assert.deepEqual(bounds('long'), [-5, 2n ** 60n, 2])
  assert.deepEqual(bounds('double'), [-0.5, 3, 1])
  assert.deepEqual(bounds('float'), [1.5, 1.5, 3])
  assert.deepEqual(bounds('int'), [-7, 7, 2])
  assert.deepEqual(bounds('boolean'), [false, true, 1])
  assert.deepEqual(bounds('timestamp'), [10, 10, 3])
  assert.deepEqual(bounds('date'), [3, 3, 3])
  assert.deepEqual(bounds('binary'), [undefined, undefined, 3])
  assert.deepEqual(bounds('quiet'), [undefined, undefined, 3])
})

test('a NaN leaves its column without bounds, and zero has the sign that is safe', () => {
  const schema = table([{ name: 'x', type: 'double', nullable: false }])
  const group = (...values: number[]) =>
    filled(
      schema,
      values.map(x => ({ x }))
    )
  const bounds = (...groups: RowGroupBuffer[]) => encodeParquet(schema, groups).columns.get('x')
  assert.partialDeepStrictEqual(bounds(group(1, Number.NaN, 2)), { min: undefined, max: undefined, nullCount: 0 })
  assert.partialDeepStrictEqual(bounds(group(1, 2), group(Number.NaN)), {
    min: undefined,
    max: undefined,
    nullCount: 0
  })
  assert.partialDeepStrictEqual(bounds(group(0)), { min: -0, max: 0, nullCount: 0 })
  assert.partialDeepStrictEqual(bounds(group(-0)), { min: -0, max: 0, nullCount: 0 })
})

test('field ids and metadata are where readers look for them', () => {
  const list = { list: { struct: [{ name: 'key', type: 'string', nullable: false }] }, elementNullable: false } as const
  const schema = table([
    { name: 'a', type: 'int', nullable: true },
    { name: 'h', type: list, nullable: true },
    { name: 'b', type: 'int', nullable: true }
  ])
  const fieldIds = new Map(Object.entries({ a: 1, h: 2, 'h.list.element': 3, 'h.list.element.key': 4, b: 5 }))
  const {
    schema: elements,
    key_value_metadata,
    created_by
  } = metadataOf(encodeParquet(schema, [], { fieldIds, metadata: new Map([['k', 'v']]), createdBy: 'test version 1' }))
  assert.deepEqual(
    elements.map(({ name, field_id }) => [name, field_id]),
    [
      ['table', undefined],
      ['a', 1],
      ['h', 2],
      ['list', undefined],
      ['element', 3],
      ['key', 4],
      ['b', 5]
    ]
  )
  assert.deepEqual(key_value_metadata, [{ key: 'k', value: 'v' }])
  assert.equal(created_by, 'test version 1')
})

test('DuckDB reads what we write: many pages, nulls, nesting, and prunes by our bounds', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-'))
  t.after(() => rm(folder, { recursive: true }))
  const schema = table([
    { name: 'offset', type: 'long', nullable: false },
    { name: 'at', type: 'timestamp', nullable: true },
    { name: 'body', type: 'string', nullable: true },
    { name: 'tags', type: { map: { key: 'string', value: 'double', valueNullable: true } }, nullable: true }
  ])
  const row = (offset: number) => ({
    offset,
    at: offset % 5 === 0 ? null : 1_700_000_000_000_000 + offset * 1000,
    body: offset % 3 === 0 ? null : `${'x'.repeat(offset % 100)}${offset}`,
    tags:
      offset % 2 === 0
        ? new Map([
            ['a', offset / 2],
            ['b', null]
          ])
        : new Map<string, number>()
  })
  const groups = [0, 1].map(part =>
    filled(
      schema,
      Array.from({ length: 30_000 }, (_, index) => row(part * 30_000 + index))
    )
  )
  const path = join(folder, 'file.parquet')
  await writeFile(path, encodeParquet(schema, groups).chunks)
  const connection = await (await DuckDBInstance.create()).connect()
  const ask = async (query: string) => (await connection.runAndReadAll(query, [path])).getRowsJson()
  assert.deepEqual(
    await ask(
      `select count(*), sum("offset"), count("at"), sum(epoch_us("at") - 1700000000000000), sum(length(body)), count(body),
              sum(map_extract_value(tags, 'a')), sum(cardinality(tags)) from read_parquet($1)`
    ),
    [expectedSums(Array.from({ length: 60_000 }, (_, offset) => row(offset)))]
  )
  assert.deepEqual(await ask(`select body, tags['a'] from read_parquet($1) where "offset" = 40001`), [[`x40001`, null]])
  connection.closeSync()
})

function expectedSums(
  rows: readonly { offset: number; at: number | null; body: string | null; tags: Map<string, number | null> }[]
) {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const times = rows.flatMap(({ at }) => (at === null ? [] : [at - 1_700_000_000_000_000]))
  const bodies = rows.flatMap(({ body }) => (body === null ? [] : [body.length]))
  return [
    String(rows.length),
    String(sum(rows.map(({ offset }) => offset))),
    String(times.length),
    String(sum(times)),
    String(sum(bodies)),
    String(bodies.length),
    sum(rows.map(({ tags }) => tags.get('a') ?? 0)),
    String(sum(rows.map(({ tags }) => tags.size)))
  ]
}

const table = (fields: readonly Field[]): TableSchema => ({ fields, partitionBy: [] })

function filled(schema: TableSchema, rows: readonly Record<string, unknown>[]): RowGroupBuffer {
  const group = new RowGroupBuffer(schema)
  for (const row of rows) group.appendRow(row)
  return group
}

function metadataOf({ chunks }: EncodedFile) {
  return parquetMetadata(new Uint8Array(Buffer.concat(chunks)).buffer)
}
