import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { runChaos } from '../../chaos/run.ts'

/** A run small enough for every day, with a seed of its own: nothing missing, nothing twice. */
export async function smallRun(t: TestContext, sink: string): Promise<void> {
  const seed = randomInt(2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const options = { sink, records: 40_000, kills: 3, pauses: 0, secondsBetweenKills: 4, seed }
  const { result, failure, logs, details } = await runChaos(options)
  assert.equal(failure, undefined, `with seed ${seed}, logs in ${logs}: ${failure}`)
  assert.equal(result.inTable + result.deadLetters, options.records)
  assert.equal(result.kills, options.kills)
  assert.ok(result.deadLetters > 0 && result.faults > 0, details)
}
