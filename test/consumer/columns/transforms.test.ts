import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur3 } from '../../../consumer/columns/murmur3.ts'
import type { Primitive, Transform } from '../../../consumer/columns/schema.ts'
import {
  bigEndianBytes,
  parseTransform,
  resultType,
  transformName,
  transformed,
  tupleKey,
  type SourceValue
} from '../../../consumer/columns/transforms.ts'

const micros = (text: string) => BigInt(Date.parse(`${text}Z`)) * 1_000n
const days = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000
const decimal = (precision: number, scale: number): Primitive => ({ decimal: { precision, scale } })

/** Iceberg spec, Appendix B. */
test('values hash as the specification says', () => {
  const vectors: readonly [Primitive, SourceValue, number][] = [
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    [decimal(9, 2), 1420n, -500754589],
    ['date', days('2017-11-16'), -653330422],
    ['time', ((22n * 60n + 31n) * 60n + 8n) * 1_000_000n, -662762989],
    ['timestamp', micros('2017-11-16T22:31:08'), -2047944441],
    ['timestamp', micros('2017-11-16T22:31:08') + 1n, -1207196810],
    ['timestampNtz', micros('2017-11-16T22:31:08'), -2047944441],
    ['string', 'iceberg', 1210000089],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
    [{ fixed: 4 }, Buffer.from([0, 1, 2, 3]), -188683207],
    ['binary', Buffer.from([0, 1, 2, 3]), -188683207]
  ]
  for (const [type, value, hash] of vectors) {
    // With so many buckets the remainder is the hash itself, without its sign.
    assert.equal(
      transformed({ bucket: 0x7fff_ffff }, type, value),
      (hash & 0x7fff_ffff) % 0x7fff_ffff,
      JSON.stringify(type)
    )
    assert.equal(resultType({ bucket: 16 }, type), 'int')
  }
  assert.equal(murmur3(Buffer.from('iceberg')), 1210000089)
  assert.equal(murmur3(new Uint8Array(0)), 0)
})

test('times before 1970 fall into the year, month, day and hour that hold them', () => {
  const cases: readonly [string, number, number, number, number][] = [
    ['1969-12-31T23:59:59.999', -1, -1, -1, -1],
    ['1970-01-01T00:00:00', 0, 0, 0, 0],
    ['2017-12-01T10:30:55', 47, 575, 17501, 420034],
    ['1967-06-15T10:00:00', -3, -31, -931, -22334]
  ]
  for (const [text, year, month, day, hour] of cases) {
    const calendar = ['year', 'month', 'day', 'hour'] as const
    assert.deepEqual(
      calendar.map(unit => transformed(unit, 'timestamp', micros(text))),
      [year, month, day, hour],
      text
    )
    assert.deepEqual(
      calendar.map(unit => transformed(unit, 'timestampNtz', Number(micros(text)))),
      [year, month, day, hour],
      text
    )
    const date = Math.floor(Date.parse(`${text}Z`) / 86_400_000)
    assert.deepEqual(
      (['year', 'month', 'day'] as const).map(unit => transformed(unit, 'date', date)),
      [year, month, day]
    )
  }
  assert.equal(transformed('hour', 'timestamp', -1n), -1)
})

test('truncation keeps remainders positive, counts code points in text and bytes in binary', () => {
  const cases: readonly [Primitive, number, SourceValue, unknown][] = [
    ['int', 10, 1, 0],
    ['int', 10, -1, -10],
    ['int', 10, -10, -10],
    ['long', 10, 1, 0n],
    ['long', 10, -(2n ** 62n), -4611686018427387910n],
    [decimal(9, 2), 50, 1065n, 1050n],
    [decimal(9, 2), 50, -1n, -50n],
    ['string', 3, 'iceberg', 'ice'],
    ['string', 2, '😀😀😀', '😀😀'],
    ['string', 9, 'ice', 'ice']
  ]
  for (const [type, truncate, value, expected] of cases)
    assert.deepEqual(transformed({ truncate }, type, value), expected)
  assert.deepEqual(transformed({ truncate: 3 }, 'binary', Buffer.from([1, 2, 3, 4, 5])), Buffer.from([1, 2, 3]))
})

test('a null stays null, and a transform that does not apply has no type', () => {
  for (const transform of ['identity', 'hour', { bucket: 4 }, { truncate: 4 }] as const) {
    assert.equal(transformed(transform, 'timestamp', null), null)
    assert.equal(transformed(transform, 'timestamp', undefined), null)
  }
  const none: readonly [Transform, Primitive][] = [
    ['hour', 'date'],
    ['day', 'string'],
    ['year', 'time'],
    [{ bucket: 4 }, 'double'],
    [{ bucket: 4 }, 'boolean'],
    [{ truncate: 4 }, 'timestamp'],
    [{ truncate: 4 }, 'uuid']
  ]
  for (const [transform, type] of none) assert.equal(resultType(transform, type), undefined)
  assert.throws(() => transformed('hour', 'string', 'x'), /broken invariant/)
  assert.equal(resultType('day', 'timestamp'), 'date')
  assert.equal(resultType('hour', 'timestampNtz'), 'int')
})

test('names of transforms are read back, unknown ones are not taken for known', () => {
  for (const transform of ['identity', 'year', 'month', 'day', 'hour', { bucket: 16 }, { truncate: 1 }] as const)
    assert.deepEqual(parseTransform(transformName(transform)), transform)
  for (const name of ['void', 'bucket', 'bucket[0]', 'bucket[-1]', 'truncate[99999999999]', 'zorder', ''])
    assert.equal(parseTransform(name), undefined, name)
})

test('two tuples have one key exactly when they are equal', () => {
  const tuples = [
    [null],
    [''],
    ['a,b'],
    ['a', 'b'],
    [1],
    ['1'],
    [Buffer.from('1')],
    [true],
    ['true'],
    [null, null],
    [-1n]
  ]
  assert.equal(new Set(tuples.map(tupleKey)).size, tuples.length)
  assert.equal(tupleKey([undefined, 5]), tupleKey([null, 5]))
})

test('whole numbers take as few bytes as hold their sign', () => {
  for (const value of [0n, 1n, -1n, 127n, 128n, -128n, -129n, 32767n, 32768n, 10n ** 37n, -(10n ** 37n)]) {
    const bytes = bigEndianBytes(value)
    assert.equal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)), value)
    if (bytes.length > 1) assert.notEqual(BigInt.asIntN(bytes.length * 8 - 8, value), value)
  }
})
