import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import type { Field } from '../../../consumer/columns/schema.ts'
import { ndjsonChunks } from '../../../consumer/ndjson/encode.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'

const SCRIPT = fileURLToPath(new URL('read_lines.py', import.meta.url))

const field = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

const FIELDS: readonly Field[] = [
  field('text', 'string'),
  field('whole', 'long'),
  field('amount', { decimal: { precision: 18, scale: 4 } }),
  field('ratio', 'double'),
  field('ok', 'boolean'),
  field('at', 'timestamp'),
  field('local', 'timestampNtz'),
  field('on', 'date'),
  field('clock', 'time'),
  field('id', 'uuid'),
  field('items', { list: { struct: [field('sku', 'string'), field('n', 'int')] }, elementNullable: true }),
  field('counts', { map: { key: 'string', value: 'long', valueNullable: true } }),
  { ...field('event', 'string'), isJson: true }
]

const TYPES = {
  text: 'VARCHAR',
  whole: 'BIGINT',
  amount: 'DECIMAL(18,4)',
  ratio: 'DOUBLE',
  ok: 'BOOLEAN',
  at: 'TIMESTAMPTZ',
  local: 'TIMESTAMP',
  on: 'DATE',
  clock: 'TIME',
  id: 'UUID',
  items: 'STRUCT(sku VARCHAR, n INTEGER)[]',
  counts: 'MAP(VARCHAR, BIGINT)',
  event: 'STRUCT(a BIGINT[], b VARCHAR)'
}

const ROW = {
  text: 'a "quoted"\n\tlïne \u0001 \\',
  whole: 9_223_372_036_854_775_807n,
  // DuckDB goes through doubles: it would lose digits beyond fifteen.
  amount: 123_456_789_012_345n,
  ratio: 0.1,
  ok: true,
  at: 1_700_000_000_123_456,
  local: -1,
  on: 20_000,
  clock: 36_000_000_001,
  id: '0b0e9c9a-8d1f-4a52-9d2e-3a1f4b5c6d7e',
  items: [{ sku: 'x', n: 1 }, null],
  counts: new Map([
    ['a', 1n],
    ['b', null]
  ]),
  event: '{\n  "a": [1,\r\n 2],\n  "b": "x\\ny"\n}'
}

const READ = [
  ROW.text,
  '9223372036854775807',
  '12345678901.2345',
  '0.1',
  'true',
  '2023-11-14 22:13:20.123456+00',
  '1969-12-31 23:59:59.999999',
  '2024-10-04',
  '10:00:00.000001',
  ROW.id,
  "[{'sku': x, 'n': 1}, NULL]",
  '{a=1, b=NULL}'
]

test('DuckDB reads every value of the lines, and tells most types by itself', need('readers'), async context => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-ndjson-'))
  context.after(async () => await rm(folder, { recursive: true }))
  const group = new RowGroupBuffer({ fields: FIELDS, partitionBy: [] })
  group.appendRow(ROW)
  group.appendRow({})
  for (let row = 0; row < 5000; row++) group.appendRow({ ...ROW, whole: BigInt(row) })
  const path = join(folder, 'rows.json')
  await writeFile(
    path,
    [...ndjsonChunks(group, { embedJson: true })].map(({ bytes }) => bytes)
  )
  const { rows, types } = JSON.parse(await python(SCRIPT, [path, JSON.stringify(TYPES)])) as {
    readonly rows: readonly (readonly (string | null)[])[]
    readonly types: Readonly<Record<string, string>>
  }
  assert.equal(rows.length, 5002)
  const [first = [], second, ...rest] = rows
  assert.deepEqual(first.slice(0, -1), READ)
  assert.equal(first.at(-1), "{'a': [1, 2], 'b': \"x\\ny\"}".replace('"x\\ny"', 'x\ny'))
  assert.deepEqual(
    second,
    Object.keys(TYPES).map(() => null)
  )
  assert.deepEqual(
    rest.map(row => row[1]),
    Array.from({ length: 5000 }, (_, row) => String(row))
  )
  const { text, ratio, ok, on, id, event } = types
  assert.deepEqual(
    { text, ratio, ok, on, id, event },
    { text: 'VARCHAR', ratio: 'DOUBLE', ok: 'BOOLEAN', on: 'DATE', id: 'UUID', event: 'STRUCT(a BIGINT[], b VARCHAR)' }
  )
})
