import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRolledBack } from '../../../../consumer/sinks/delta/snapshot.ts'

test('a RESTORE to before our last commit takes rows, one to it or later gives them back', () => {
  const cases: readonly [readonly [number, number | undefined][], boolean][] = [
    [[], false],
    [[[11, 10]], false],
    [[[12, 11]], false],
    [[[11, 9]], true],
    [[[11, undefined]], true],
    [
      [
        [11, 9],
        [12, 10]
      ],
      false
    ],
    [
      [
        [11, 9],
        [12, 11]
      ],
      true
    ],
    [
      [
        [11, 9],
        [12, 10],
        [13, 11]
      ],
      true
    ],
    [
      [
        [11, 9],
        [12, 10],
        [13, 12]
      ],
      false
    ],
    [[[11, 99]], false]
  ]
  for (const [restores, expected] of cases) {
    const state = { ourVersion: 10, restores: restores.map(([version, toVersion]) => ({ version, toVersion })) }
    assert.equal(isRolledBack(state), expected, JSON.stringify(restores))
  }
})
