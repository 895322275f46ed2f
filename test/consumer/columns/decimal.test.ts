import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { DecimalColumn } from '../../../consumer/columns/decimal-column.ts'
import {
  decimalBytes,
  fitsPrecision,
  formatDecimal,
  parseDecimal,
  unscaledOf
} from '../../../consumer/columns/decimal.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { rowsOf } from '../../fakes/parquet.ts'

test('a number as text becomes its unscaled value, or none when a digit would be lost', () => {
  const cases: readonly (readonly [text: string, precision: number, scale: number, expected: bigint | undefined])[] = [
    ['12.5', 5, 2, 1250n],
    ['-0.01', 3, 2, -1n],
    ['1e3', 5, 1, 10000n],
    ['1.5E-1', 4, 2, 15n],
    ['0.000', 1, 0, 0n],
    ['100.00', 3, 0, 100n],
    ['0.001', 9, 2, undefined],
    ['1.5E-3', 9, 2, undefined],
    ['1000', 5, 2, undefined],
    ['999.99', 5, 2, 99999n],
    ['.5', 2, 1, 5n],
    ['+7.', 2, 0, 7n],
    ['1e9999', 38, 0, undefined],
    ['-', 5, 2, undefined],
    ['NaN', 5, 2, undefined],
    ['', 5, 2, undefined],
    ['99999999999999999999999999999999999999', 38, 0, 10n ** 38n - 1n]
  ]
  for (const [text, precision, scale, expected] of cases) {
    assert.equal(parseDecimal(text, precision, scale), expected, `${text} as decimal(${precision},${scale})`)
  }
  assert.equal(formatDecimal(-5n, 2), '-0.05')
  assert.equal(formatDecimal(1250n, 2), '12.50')
  assert.equal(formatDecimal(7n, 0), '7')
})

test('the width of a precision holds its least and greatest value and no byte less would', () => {
  for (let precision = 1; precision <= 38; precision++) {
    const bytes = decimalBytes(precision)
    const limit = 10n ** BigInt(precision) - 1n
    assert.equal(BigInt.asIntN(bytes * 8, limit), limit)
    if (bytes > 8) assert.notEqual(BigInt.asIntN(bytes * 8 - 8, limit), limit)
    assert.ok(fitsPrecision(limit, precision) && fitsPrecision(-limit, precision))
    assert.ok(!fitsPrecision(limit + 1n, precision) && !fitsPrecision(-limit - 1n, precision))
  }
})

test('a decimal is the same whether it comes as a number, as a bigint or as bytes', async () => {
  for (const precision of [9, 18, 22, 38]) {
    const schema = {
      fields: [{ name: 'd', type: { decimal: { precision, scale: 0 } }, nullable: true }],
      partitionBy: []
    }
    const group = new RowGroupBuffer(schema)
    const column = group.column('d')
    assert.ok(column instanceof DecimalColumn)
    const values = [0, 1, -1, 127, -128, 128, 65_535, -8_388_609, 999_999_999, -999_999_999]
    for (const value of values) {
      column.append(value)
      column.appendBig(BigInt(value))
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(value))
      column.appendBytes(bytes, 0, 8)
      column.appendNull()
      assert.equal(unscaledOf(bytes, 0, 8), BigInt(value))
      for (let row = 0; row < 4; row++) group.endRow()
    }
    const rows = await rowsOf(encodeParquet(schema, [group]))
    assert.deepEqual(
      rows.map(({ d }) => d),
      values.flatMap(value => [value, value, value, null])
    )
    assert.deepEqual([column.min(), column.max()], [-999_999_999n, 999_999_999n])
  }
})
