import assert from 'node:assert/strict'
import { test } from 'node:test'
import { microsOf, parseDateDays, parseTimestampMicros, timestampMicrosOf } from '../../../consumer/decode/timestamp.ts'
import { randomFrom } from '../../chaos/random.ts'

test('RFC 3339 text is read to the microsecond', () => {
  const cases: readonly (readonly [string, number | bigint])[] = [
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01 00:00:00z', 0],
    ['1970-01-01t00:00:00.000001Z', 1],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['2024-02-29T12:00:00+05:30', Date.UTC(2024, 1, 29, 6, 30) * 1000],
    ['2024-02-29T12:00:00-00:30', Date.UTC(2024, 1, 29, 12, 30) * 1000],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1) * 1000],
    ['0001-01-01T00:00:00Z', -62135596800000000n],
    ['9999-12-31T23:59:59.999999Z', 253402300799999999n],
    ['0099-12-31T00:00:00Z', BigInt(new Date('0099-12-31T00:00:00Z').getTime()) * 1000n]
  ]
  for (const [text, micros] of cases) assert.equal(parseTimestampMicros(text), micros, text)
})

test('text that names no moment is none', () => {
  const bad = [
    '|now|2024-01-01T00:00:00|2024-01-01T00:00Z|2024-01-01T00:00:00.Z|2024-1-1T00:00:00Z| 2024-01-01T00:00:00Z|2024-01-01T00:00:00Z\n',
    '2024-02-30T00:00:00Z|2023-02-29T00:00:00Z|2024-13-01T00:00:00Z|2024-00-01T00:00:00Z|2024-01-00T00:00:00Z|12024-01-01T00:00:00Z',
    '2024-01-01T24:00:00Z|2024-01-01T00:60:00Z|2024-01-01T00:00:61Z|2024-01-01T00:00:00+24:00|2024-01-01T00:00:00+0100',
    '0000-01-01T00:00:00Z|0001-01-01T00:00:00+01:00'
  ].flatMap(line => line.split('|'))
  for (const text of bad) assert.equal(parseTimestampMicros(text), undefined, text)
})

test('milliseconds become microseconds exactly, or nothing', () => {
  assert.equal(microsOf(1_700_000_000_001), 1_700_000_000_001_000)
  assert.equal(microsOf(253_402_300_799_999), 253_402_300_799_999_000n)
  for (const ms of [253_402_300_800_000, -62_135_596_800_001, 0.5, Number.NaN, Infinity])
    assert.equal(microsOf(ms), undefined)
})

test('a calendar date becomes its days since 1970, other text nothing', () => {
  for (const [text, days] of [
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['2024-02-29', 19782],
    ['0001-01-01', -719162],
    ['9999-12-31', 2932896]
  ] as const)
    assert.equal(parseDateDays(text), days, text)
  const bad =
    '|today|0000-01-01|2023-02-29|2024-13-01|2024-00-10|2024-04-31|2024-1-1|20240101|2024-01-01Z| 2024-01-01|2024-01-01\n'
  for (const text of bad.split('|')) assert.equal(parseDateDays(text), undefined, text)
})

test('bytes are read as their text is, whatever is changed in it', () => {
  const forms = [
    '2024-02-29T23:59:59Z',
    '2023-11-14T22:13:20.123456Z',
    '1900-02-28T00:00:00.5Z',
    '0099-12-31T00:00:00Z',
    '9999-12-31T23:59:59.999Z'
  ]
  const characters = '0123456789-:TtZz.+ '
  for (let seed = 0; seed < 20_000; seed++) {
    const random = randomFrom(seed, 7)
    let text = forms[seed % forms.length] ?? ''
    for (let count = Math.floor(random() * 4); count > 0; count--) {
      const at = Math.floor(random() * text.length)
      const character = characters[Math.floor(random() * characters.length)] ?? ''
      text = text.slice(0, at) + character + text.slice(at + (random() < 0.8 ? 1 : random() < 0.5 ? 0 : 2))
    }
    const bytes = Buffer.from(`9${text}9`)
    assert.equal(timestampMicrosOf(bytes, 1, bytes.length - 1), parseTimestampMicros(text), text)
  }
})
