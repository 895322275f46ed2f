import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../lib/log.ts'
import type { LagSample } from '../../../operator/kafka/lag-sampler.ts'
import { Sampling } from '../../../operator/source/sampling.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { aLag, aSettled } from '../given.ts'

const BY_LAG = aSettled({ scaling: { mode: 'Lag' }, batch: { triggerInterval: '1s' } })
const BY_PARTITIONS = aSettled({ batch: { triggerInterval: '1s' } })

/** One partition, at which 100 records come in a second, and half of them are written. */
function given() {
  const clock = new ManualClock(0)
  const state = { changes: 0, members: 2 }
  const sample = async (): Promise<LagSample> => ({
    lag: aLag({ atMs: clock.now() }),
    offsets: [
      { topic: 't', partition: 0, committed: clock.now() / 20, metadata: '', logStart: 0, lastStable: clock.now() / 10 }
    ],
    group: { state: 'Stable', members: state.members, foreignMembers: 0, foreign: [] },
    trouble: undefined
  })
  const sampling = new Sampling({
    open: () => ({ sample, close: () => {} }),
    clock,
    log: silentLog,
    intervalMs: 1000,
    onChange: () => state.changes++
  })
  return { clock, state, sampling }
}

test('pipelines of mode Lag have rates, over four looks or three commits; others have none', async () => {
  const { clock, sampling } = given()
  sampling.follow('a/lag', BY_LAG)
  sampling.follow('a/partitions', BY_PARTITIONS)
  await clock.advance(10_000)
  const { rates } = sampling.view('a/lag')
  assert.equal(rates?.windowMs, 4000)
  assert.ok((rates?.spanMs ?? 0) >= 4000)
  assert.deepEqual([rates?.partitions[0]?.arrival, rates?.partitions[0]?.drain], [100, 50])
  assert.equal(sampling.view('a/partitions').rates, undefined)
})

test('another mode begins and ends them without a new connection, and is told', async () => {
  const { clock, state, sampling } = given()
  sampling.follow('a/b', BY_PARTITIONS)
  await clock.advance(2000)
  const before = state.changes
  sampling.follow('a/b', BY_LAG)
  await clock.advance(2000)
  assert.ok(sampling.view('a/b').rates !== undefined)
  assert.equal(state.changes, before + 1)
  sampling.follow('a/b', BY_PARTITIONS)
  await clock.advance(2000)
  assert.equal(sampling.view('a/b').rates, undefined)
})

test('another number of members begins the time anew in which the group was calm', async () => {
  const { clock, state, sampling } = given()
  sampling.follow('a/b', BY_LAG)
  await clock.advance(6000)
  state.members = 3
  await clock.advance(3000)
  assert.ok((sampling.view('a/b').rates?.steadyMs ?? Infinity) <= 3000)
})
