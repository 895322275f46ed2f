import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDurationMs } from '../../lib/duration.ts'

for (const [text, ms] of [
  ['0s', 0],
  ['250ms', 250],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['1d12h', 129_600_000],
  ['5s5s', 10_000],
  ['99999d99999h99999m99999s', 8_639_913_600_000 + 359_996_400_000 + 5_999_940_000 + 99_999_000]
] as const) {
  test(`${text} is ${ms} ms`, () => {
    assert.equal(parseDurationMs(text), ms)
  })
}

for (const text of ['', '10', 's', '1.5s', '-1s', '10 s', '10S', '1w', '100000s', '1s1s1s1s1s', '10s\n']) {
  test(`${JSON.stringify(text)} is no duration`, () => {
    assert.equal(parseDurationMs(text), undefined)
  })
}
