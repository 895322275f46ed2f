import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from '../../consumer/source.ts'
import { PLANTED_BUGS } from './bugs.ts'
import { KEPT_SEEDS } from './kept-seeds.ts'
import { simulate } from './simulate.ts'

const SINKS = ['delta', 'iceberg', 's3'] as const
const FRESH_SEEDS = 100
const SEEDS_WITH_ENDS = 40
/** A planted bug is found within this many seeds. */
const BUG_SEEDS = 60

test(`every record lands exactly once, over ${FRESH_SEEDS} fresh seeds`, async context => {
  const from = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seeds from ${from}`)
  for (let seed = from; seed < from + FRESH_SEEDS; seed++) await simulate(seed)
})

test(`what lies before an end lands exactly once and nothing beyond it, over ${SEEDS_WITH_ENDS} fresh seeds`, async context => {
  const from = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seeds from ${from}`)
  for (let seed = from; seed < from + SEEDS_WITH_ENDS; seed++) await simulate(seed, { ends: true })
})

test('an end that is one too far is found', async () => {
  const source = (real: Source) => {
    const resolveEnds = real.resolveEnds.bind(real)
    real.resolveEnds = async (topic, endAt) => {
      const ends = await resolveEnds(topic, endAt)
      return new Map([...ends].map(([partition, end]) => [partition, { ...end, offset: end.offset + 1 }]))
    }
    return real
  }
  await assert.rejects(simulate(3, { ends: true, bugs: { source } }), /expected offsets/)
})

for (const { seed, sink, why } of KEPT_SEEDS) {
  test(`seed ${seed} stays mended: ${why}`, async () => {
    await simulate(seed, { sink })
  })
}

test('a seed replays the same night', async () => {
  for (const sink of SINKS) assert.deepEqual(await simulate(7, { sink }), await simulate(7, { sink }))
})

for (const sink of SINKS) {
  for (const [name, bugs] of Object.entries(PLANTED_BUGS[sink])) {
    test(`a planted bug is found with ${sink}: ${name}`, async () => {
      for (let seed = 0; seed < BUG_SEEDS; seed++) {
        const found = await simulate(seed, { sink, bugs }).then(
          () => false,
          () => true
        )
        if (found) return
      }
      assert.fail(`not found in ${BUG_SEEDS} seeds`)
    })
  }
}
