import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lowerBound, MAX_BOUND_BYTES, upperBound } from '../../../consumer/parquet/bounds.ts'

test('bounds of short text are the text', () => {
  for (const text of ['', 'a', 'ü'.repeat(32)]) {
    assert.equal(Buffer.from(lowerBound(Buffer.from(text))).toString(), text)
    assert.equal(Buffer.from(upperBound(Buffer.from(text)) ?? []).toString(), text)
  }
})

test('bounds of long text are short, are text, and enclose it', () => {
  const long = [
    'a'.repeat(100),
    'ü€😀'.repeat(40),
    `${'x'.repeat(63)}\u{10FFFF}tail`,
    `${'x'.repeat(61)}\ud7ff\ud7ffyz`
  ]
  for (const text of long) {
    const bytes = Buffer.from(text)
    const lower = Buffer.from(lowerBound(bytes))
    const upper = Buffer.from(upperBound(bytes) ?? [])
    for (const bound of [lower, upper]) {
      assert.ok(bound.length <= MAX_BOUND_BYTES + 3)
      assert.ok(Buffer.from(bound.toString()).equals(bound), `${bound.toString('hex')} is text`)
    }
    assert.ok(lower.compare(bytes) <= 0, text)
    assert.ok(upper.compare(bytes) > 0, text)
  }
})

test('text above which there is no short text has no upper bound', () => {
  assert.equal(upperBound(Buffer.from('\u{10FFFF}'.repeat(20))), undefined)
})
