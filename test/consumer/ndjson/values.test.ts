import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType } from '../../../consumer/columns/schema.ts'
import { randomFrom } from '../../chaos/random.ts'
import { linesOfColumn } from './lines.ts'

test('text of every character is what JSON.stringify makes of it, or reads as the same', () => {
  const text = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join('') + '\u2028€😀\u{10ffff}'
  const all = [...(text.match(/./gsu) ?? []), text.repeat(20), '', 'plain', '"', '\\', '\n'.repeat(5000)]
  assert.deepEqual(
    linesOfColumn('string', all).map(line => JSON.parse(line)),
    all
  )
  assert.deepEqual(linesOfColumn('string', ['\u0000\u001f\b\t\n\f\r"\\/\u007f']), [
    '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\u007f"'
  ])
})

test('integers have all their digits, beyond 2^53 too', () => {
  const longs = [0, -1, 9, 10, 999_999_999, 1_000_000_000, -1_000_000_001, 2 ** 53 - 1, -(2 ** 53 - 1)]
  assert.deepEqual(linesOfColumn('long', longs), longs.map(String))
  const wide = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 9_007_199_254_740_993n, 5n]
  assert.deepEqual(linesOfColumn('long', wide), wide.map(String))
  // Jumps that deltas are not packed for.
  assert.deepEqual(linesOfColumn('long', [2 ** 53 - 1, -(2 ** 53 - 1), null, 0]), [
    '9007199254740991',
    '-9007199254740991',
    'null',
    '0'
  ])
  assert.deepEqual(linesOfColumn('int', [2 ** 31 - 1, -(2 ** 31), 0]), ['2147483647', '-2147483648', '0'])
})

test('doubles read back as they were and show that they are some; what JSON has no number for is text', () => {
  const random = randomFrom(5, 0)
  const view = new DataView(new ArrayBuffer(8))
  const bits = Array.from({ length: 2000 }, () => {
    view.setUint32(0, random() * 2 ** 32)
    view.setUint32(4, random() * 2 ** 32)
    return view.getFloat64(0)
  }).filter(Number.isFinite)
  const cents = Array.from({ length: 2000 }, () => Math.round(random() * 1e9) / 10 ** Math.floor(random() * 8))
  const edges = [0.1, -0.1, 5e-324, 1.7976931348623157e308, 1e21, 123456789012345680000, 2 ** 53, 1e-7, 0.000001, -0]
  const values = [...bits, ...cents, ...edges, 999999999.999999, 999999999999.999, 1e9 + 0.000001, 4.35, 0.3]
  const lines = linesOfColumn('double', values)
  for (const [index, line] of lines.entries()) {
    assert.match(line, /^-?\d+(\.\d+)?(e[+-]\d+)?$/)
    assert.match(line, /[.e]/)
    assert.ok(Object.is(JSON.parse(line), values[index]), `${line} is ${values[index]}`)
  }
  assert.deepEqual(linesOfColumn('double', [3, -0, NaN, Infinity, -Infinity, 12.5, 1e21]), [
    '3.0',
    '-0.0',
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '12.5',
    '1e+21'
  ])
  assert.deepEqual(linesOfColumn('float', [0.5, NaN, null, Math.fround(0.1)]), [
    '0.5',
    '"NaN"',
    'null',
    String(Math.fround(0.1))
  ])
})

test('decimals have every digit after the point and no exponent', () => {
  const decimal = (precision: number, scale: number): ColumnType => ({ decimal: { precision, scale } })
  assert.deepEqual(linesOfColumn(decimal(9, 2), ['-0.05', '0', '1234567.89', '-12.5']), [
    '-0.05',
    '0.00',
    '1234567.89',
    '-12.50'
  ])
  assert.deepEqual(linesOfColumn(decimal(18, 0), [999_999_999_999_999_999n, -1n]), ['999999999999999999', '-1'])
  assert.deepEqual(linesOfColumn(decimal(18, 12), [123_456_789_012_345n, -5n]), ['123.456789012345', '-0.000000000005'])
  assert.deepEqual(linesOfColumn(decimal(38, 37), [10n ** 38n - 1n, -1n]), [
    `9.${'9'.repeat(37)}`,
    `-0.${'0'.repeat(36)}1`
  ])
})

test('times have six digits after the second, before 1970 and in years that few clocks know', () => {
  const micros = (text: string) => BigInt(Date.parse(text)) * 1000n
  const times = [
    '2026-11-21T10:00:00.123Z',
    '1969-12-31T23:59:59.999Z',
    '2000-02-29T00:00:00.000Z',
    '0001-01-01T00:00:00.000Z'
  ]
  const far = ['9999-12-31T23:59:59.999Z', '+012345-06-07T08:09:10.011Z', '-000044-03-15T12:00:00.000Z']
  assert.deepEqual(
    linesOfColumn('timestamp', [...times, ...far].map(micros)),
    [...times, ...far].map(text => `"${text.replace('Z', '000Z')}"`)
  )
  assert.deepEqual(linesOfColumn('timestampNtz', [micros('2026-11-21T10:00:00Z') + 1n, -1n]), [
    '"2026-11-21T10:00:00.000001"',
    '"1969-12-31T23:59:59.999999"'
  ])
  assert.deepEqual(linesOfColumn('time', [0, 36_000_000_001, 86_399_999_999]), [
    '"00:00:00.000000"',
    '"10:00:00.000001"',
    '"23:59:59.999999"'
  ])
  const days = Array.from({ length: 4000 }, (_, index) => index * 337 - 700_000)
  assert.deepEqual(
    linesOfColumn('date', days),
    days.map(day => `"${new Date(day * 86_400_000).toISOString().replace(/T.*/, '')}"`)
  )
  assert.deepEqual(linesOfColumn('date', [2 ** 31 - 1]), ['"+5881580-07-11"'])
})
