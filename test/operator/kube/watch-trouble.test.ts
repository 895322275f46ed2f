import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeError } from '../../../operator/kube/kube.ts'
import { mustRelist } from '../../../operator/kube/watch-trouble.ts'

const cases: readonly [what: string, error: unknown, refusals: number, expected: boolean][] = [
  ['the version is forgotten', new KubeError(410, 'too old'), 1, true],
  ['the kind is gone', new KubeError(404, 'not found'), 1, true],
  ['the server is behind us', new KubeError(504, 'Timeout: Too large resource version: 9, current: 3'), 1, true],
  ['no answer', new KubeError(0, 'refused'), 1000, false],
  ['throttled', new KubeError(429, 'busy'), 1000, false],
  ['an internal error', new KubeError(500, 'etcd'), 19, false],
  ['the same internal error for minutes', new KubeError(500, 'etcd'), 20, true],
  ['forbidden, perhaps for a moment', new KubeError(403, 'no'), 2, false],
  ['a request that stays wrong', new KubeError(400, 'invalid'), 3, true],
  ['not of the API server', new TypeError('x'), 1000, false]
]

for (const [what, error, refusals, expected] of cases) {
  test(`${what}, ${refusals} in a row: ${expected ? 'a new list' : 'resumed'}`, () => {
    assert.equal(mustRelist(error, refusals), expected)
  })
}
