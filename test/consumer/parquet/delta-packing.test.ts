import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LongColumn } from '../../../consumer/columns/long-column.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { packDeltas } from '../../../consumer/parquet/delta-packing.ts'
import { randomFrom } from '../../chaos/random.ts'
import { rowsOf } from '../../fakes/parquet.ts'

const SCHEMA = { fields: [{ name: 'n', type: 'long', nullable: false }], partitionBy: [] } as const

test('integers of any spread come back', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(seed, 4)
    const spread = 2 ** (seed % 54)
    const start = Math.floor((random() - 0.5) * 2 ** 52)
    const values = Array.from({ length: 1 + ((seed * 37) % 700) }, () => {
      const value = start + Math.floor((random() - 0.5) * spread)
      return Math.max(-(2 ** 53) + 1, Math.min(2 ** 53 - 1, value))
    })
    assert.deepEqual(await readBack(values), values.map(BigInt), `seed ${seed}`)
  }
})

test('the extremes of 64 bits come back', async () => {
  const values = [0, 2n ** 63n - 1n, -(2n ** 63n), 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2n ** 53n]
  assert.deepEqual(await readBack(values), values.map(BigInt))
})

test('offsets that follow one another take almost no room', () => {
  const packed = packDeltas(
    Float64Array.from({ length: 10_000 }, (_, index) => 2 ** 50 + index),
    10_000
  )
  assert.ok(packed !== undefined && packed.length < 600, `${packed?.length} bytes`)
})

async function readBack(values: readonly (number | bigint)[]): Promise<unknown[]> {
  const group = new RowGroupBuffer(SCHEMA)
  const column = group.column('n')
  assert.ok(column instanceof LongColumn)
  for (const value of values) {
    column.appendValue(value, 0, 0)
    group.endRow()
  }
  return (await rowsOf(encodeParquet(SCHEMA, [group]))).map(({ n }) => n)
}
