import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { STRATEGIES, roll } from '../../../bench/rollout/strategies.ts'

/** What a roll of two slots does, in order; stopping and starting take a turn each. */
async function steps(name: string): Promise<string> {
  const strategy = STRATEGIES.find(each => each.name === name)
  assert.ok(strategy)
  const seen: string[] = []
  await roll(strategy, 2, {
    stop: async slot => {
      seen.push(`-${slot}`)
      await turn()
      seen.push(`ended ${slot}`)
    },
    start: async (_, instance) => {
      seen.push(`+${instance}`)
      await turn()
      seen.push(`ready ${instance}`)
    }
  })
  return seen.join(', ')
}

const EXPECTED = {
  'full-stop': '-0, +pod-1-0, -1, +pod-1-1, ended 0, ready pod-1-0, ended 1, ready pod-1-1',
  recreate: '-0, -1, ended 0, ended 1, +pod-1-0, +pod-1-1, ready pod-1-0, ready pod-1-1',
  rolling: '-0, +pod-1-0, ended 0, ready pod-1-0, -1, +pod-1-1, ended 1, ready pod-1-1',
  'stateful-set': '-1, ended 1, +slot-1, ready slot-1, -0, ended 0, +slot-0, ready slot-0',
  slots: '-0, -1, ended 0, +slot-0, ended 1, +slot-1, ready slot-0, ready slot-1',
  'slots-in-turn': '-0, ended 0, +slot-0, ready slot-0, -1, ended 1, +slot-1, ready slot-1'
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`${name} stops and starts as Kubernetes does`, async () => {
    assert.equal(await steps(name), expected)
  })
}

test('what keeps its places does the same as what does not', async () => {
  for (const [name, leaving] of [
    ['stateful-set-stays', 'stateful-set'],
    ['slots-stay', 'slots'],
    ['slots-in-turn-stay', 'slots-in-turn']
  ] as const)
    assert.equal(await steps(name), await steps(leaving))
})
