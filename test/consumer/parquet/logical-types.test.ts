import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { formatDecimal } from '../../../consumer/columns/decimal.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import type { TableSchema } from '../../../consumer/columns/schema.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'

test('DuckDB reads every digit of decimals of every width, UUIDs, times and times without zone', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-'))
  t.after(() => rm(folder, { recursive: true }))
  const precisions = [1, 4, 9, 10, 18, 19, 25, 38]
  const fields = [
    ...precisions.map(precision => ({
      name: `d${precision}`,
      type: { decimal: { precision, scale: precision >> 1 } },
      nullable: true
    })),
    { name: 'id', type: 'uuid', nullable: true },
    { name: 'clock', type: 'time', nullable: true },
    { name: 'local', type: 'timestampNtz', nullable: true }
  ] as const
  const schema: TableSchema = { fields, partitionBy: [] }
  const digits = [0n, 1n, -1n, 255n, -256n, 10n ** 8n + 7n, -(10n ** 17n) - 3n, 10n ** 37n + 5n, -(10n ** 38n) + 1n]
  const rows = digits.map(unscaled => ({
    ...Object.fromEntries(precisions.map(precision => [`d${precision}`, fits(unscaled, precision) ? unscaled : null])),
    id: '0A1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
    clock: 86_399_999_999,
    local: 1_700_000_000_000_001
  }))
  const group = new RowGroupBuffer(schema)
  for (const row of rows) group.appendRow(row)
  const file = encodeParquet(schema, [group])
  const path = join(folder, 'file.parquet')
  await writeFile(path, file.chunks)
  const connection = await (await DuckDBInstance.create()).connect()
  const ask = async (query: string) => (await connection.runAndReadAll(query, [path])).getRowsJson()
  for (const precision of precisions) {
    const scale = precision >> 1
    const fitting = digits.filter(unscaled => fits(unscaled, precision))
    const texts = await ask(`select d${precision}::varchar from read_parquet($1) where d${precision} is not null`)
    assert.deepEqual(
      texts.flat(),
      fitting.map(unscaled => formatDecimal(unscaled, scale))
    )
    const { min, max } = file.columns.get(`d${precision}`) ?? {}
    const sorted = [...fitting].sort((a, b) => (a < b ? -1 : 1))
    assert.deepEqual([min, max], [sorted[0], sorted.at(-1)])
    assert.deepEqual(
      await ask(`select count(*) from read_parquet($1) where d${precision} = ${formatDecimal(sorted[0] ?? 0n, scale)}`),
      [['1']]
    )
  }
  assert.deepEqual(await ask('select id, clock::varchar, local::varchar from read_parquet($1) limit 1'), [
    ['0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', '23:59:59.999999', '2023-11-14 22:13:20.000001']
  ])
  connection.closeSync()
})

const fits = (unscaled: bigint, precision: number): boolean =>
  (unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(precision)
