import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Primitive } from '../../../../consumer/columns/schema.ts'
import { compareValues, lowerBound, serialized, upperBound } from '../../../../consumer/sinks/iceberg/bounds.ts'

const decimal: Primitive = { decimal: { precision: 20, scale: 2 } }

/** Iceberg spec, Appendix D. */
test('single values are serialized as the specification says', () => {
  const cases: readonly [Primitive, Parameters<typeof serialized>[1], string][] = [
    ['boolean', true, '01'],
    ['boolean', false, '00'],
    ['int', 34, '22000000'],
    ['int', -1, 'ffffffff'],
    ['long', 34n, '2200000000000000'],
    ['long', 34, '2200000000000000'],
    ['float', -4.5, '000090c0'],
    ['double', 6, '0000000000001840'],
    ['double', -0, '0000000000000080'],
    ['date', 1000, 'e8030000'],
    ['time', 10_000n, '1027000000000000'],
    ['timestamp', 400_000n, '801a060000000000'],
    ['timestampNtz', -1n, 'ffffffffffffffff'],
    ['string', 'ABC', '414243'],
    ['uuid', Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'), 'f79c3e09677c4bbda4793f349cb785e7'],
    [{ fixed: 3 }, Buffer.from([1, 2, 3]), '010203'],
    ['binary', Buffer.from([1, 2]), '0102'],
    [decimal, 3450n, '0d7a'],
    [decimal, -1n, 'ff'],
    [decimal, 0n, '00'],
    [decimal, 128n, '0080']
  ]
  for (const [type, value, hex] of cases)
    assert.equal(serialized(type, value).toString('hex'), hex, JSON.stringify(type))
  assert.throws(() => serialized('string', 5), TypeError)
})

test('text is cut to code points; an upper bound is never below the value, and absent when none is short enough', () => {
  const of = (text: string) =>
    [lowerBound('string', text, 3), upperBound('string', text, 3)].map(bound => bound?.toString())
  assert.deepEqual(of('abc'), ['abc', 'abc'])
  assert.deepEqual(of('abcd'), ['abc', 'abd'])
  assert.deepEqual(of('😀😀😀😀'), ['😀😀😀', '😀😀😁'])
  assert.deepEqual(of('ab\u{10ffff}x'), ['ab\u{10ffff}', 'ac'])
  assert.deepEqual(of('\u{10ffff}'.repeat(4)), ['\u{10ffff}'.repeat(3), undefined])
  assert.deepEqual(of('ab\ud7ffx'), ['ab\ud7ff', 'ab\ue000'])
  let seed = 3
  const random = (below: number) => ((seed = (seed * 48_271) % 0x7fff_ffff), seed % below)
  const RANGES = [
    [0x20, 0x60],
    [0xd700, 0xff],
    [0xe000, 0x100],
    [0x10_fff0, 0x10]
  ] as const
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from({ length: random(8) }, () => {
      const [first, count] = RANGES[random(4)] as readonly [number, number]
      return String.fromCodePoint(first + random(count))
    }).join('')
    const [length, bytes] = [1 + random(4), Buffer.from(text)]
    const [low, high] = [lowerBound('string', text, length), upperBound('string', text, length)]
    assert.ok(Buffer.compare(low, bytes) <= 0)
    assert.ok(high === undefined || Buffer.compare(high, bytes) >= 0, JSON.stringify(text))
    assert.ok(high === undefined || Array.from(high.toString()).length <= length || high.equals(bytes))
    assert.ok(!high?.includes(Buffer.from('\ufffd')))
  }
})

test('values are ordered as readers order them', () => {
  assert.deepEqual([0, -0, 1, -1].sort(compareValues), [-1, -0, 0, 1])
  assert.deepEqual(['\ue000', '😀', 'z'].sort(compareValues), ['z', '\ue000', '😀'])
  assert.deepEqual([Buffer.from([0xff]), Buffer.from([1, 2]), Buffer.from([1])].sort(compareValues), [
    Buffer.from([1]),
    Buffer.from([1, 2]),
    Buffer.from([0xff])
  ])
  assert.deepEqual([2n ** 62n, -1n].sort(compareValues), [-1n, 2n ** 62n])
})
