import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseQuantity } from '../../lib/quantity.ts'

for (const [text, value] of [
  ['0', 0],
  ['1048576', 1_048_576],
  ['64Ki', 65_536],
  ['64Mi', 67_108_864],
  ['1.5Gi', 1_610_612_736],
  ['2k', 2000],
  ['3M', 3_000_000],
  ['500m', 0.5],
  ['1T', 1e12]
] as const) {
  test(`${text} is ${value}`, () => {
    assert.equal(parseQuantity(text), value)
  })
}

for (const text of ['', 'Mi', '64MB', '64mi', '1e6', '-1', '1.', '.5', '64 Mi', '64Mi\n']) {
  test(`${JSON.stringify(text)} is no quantity`, () => {
    assert.equal(parseQuantity(text), undefined)
  })
}
