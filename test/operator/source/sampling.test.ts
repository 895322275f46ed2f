import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryableError } from '../../../lib/errors.ts'
import { silentLog } from '../../../lib/log.ts'
import type { LagSample } from '../../../operator/kafka/lag-sampler.ts'
import { Sampling } from '../../../operator/source/sampling.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { aLag, aSettled } from '../given.ts'

const seen = (lag: number): LagSample => ({ lag: aLag({ lag, atMs: lag }), offsets: [], trouble: undefined })

function given() {
  const clock = new ManualClock(0)
  const changes: string[] = []
  const state = { opened: 0, closed: 0, looks: 0, answer: (): Promise<LagSample> => Promise.resolve(seen(5)) }
  const sampling = new Sampling({
    open: () => {
      state.opened++
      return {
        sample: () => {
          state.looks++
          return state.answer()
        },
        close: () => {
          state.closed++
        }
      }
    },
    clock,
    log: silentLog,
    intervalMs: 1000,
    onChange: key => changes.push(key)
  })
  return { clock, changes, state, sampling }
}

test('a pipeline is looked at at once and then every interval, and only news are told', async () => {
  const { clock, changes, state, sampling } = given()
  sampling.follow('a/b', aSettled())
  await clock.advance(0)
  assert.deepEqual(changes, ['a/b'])
  await clock.advance(2500)
  assert.equal(state.looks, 3)
  assert.deepEqual(changes, ['a/b'])
  state.answer = async () => seen(6)
  await clock.advance(1000)
  assert.deepEqual(changes, ['a/b', 'a/b'])
  assert.equal(sampling.view('a/b').lag?.lag, 6)
})

test('trouble is told, and what was known before is kept beside it', async () => {
  const { clock, state, sampling } = given()
  sampling.follow('a/b', aSettled())
  await clock.advance(0)
  state.answer = async () => {
    throw new RetryableError('SourceUnreachable', 'no broker answers')
  }
  await clock.advance(1000)
  assert.deepEqual(sampling.view('a/b').trouble, { reason: 'SourceUnreachable', message: 'no broker answers' })
  assert.equal(sampling.view('a/b').lag?.partitions, 3)
  state.answer = async () => seen(0)
  await clock.advance(1000)
  assert.equal(sampling.view('a/b').trouble, undefined)
})

test('another source is followed anew; another size is not', async () => {
  const { clock, state, sampling } = given()
  sampling.follow('a/b', aSettled())
  sampling.follow('a/b', aSettled({ suspend: true, scaling: { mode: 'External', replicas: 3 } }))
  await clock.advance(0)
  assert.equal(state.opened, 1)
  sampling.follow('a/b', aSettled({ source: { bootstrapServers: ['other:9092'] } }))
  await clock.advance(0)
  assert.equal(state.opened, 2)
  assert.equal(state.closed, 1)
})

test('a pipeline that is forgotten is not looked at again', async () => {
  const { clock, state, sampling } = given()
  sampling.follow('a/b', aSettled())
  await clock.advance(0)
  sampling.forget('a/b')
  await clock.advance(5000)
  assert.equal(state.looks, 1)
  assert.equal(state.closed, 1)
  assert.equal(sampling.view('a/b').lag, undefined)
})

test('a thousand sources are looked at at a time, and no more', async () => {
  const { clock, state, sampling } = given()
  const waiting: (() => void)[] = []
  state.answer = () => new Promise(resolve => waiting.push(() => resolve(seen(1))))
  const pipeline = aSettled()
  for (let index = 0; index < 1030; index++) sampling.follow(`a/${index}`, pipeline)
  await clock.advance(0)
  assert.equal(state.looks, 1024)
  waiting.shift()?.()
  await clock.advance(0)
  assert.equal(state.looks, 1025)
  sampling.close()
  for (let turn = 0; turn < 5; turn++) {
    for (const finish of waiting.splice(0)) finish()
    await clock.advance(0)
  }
  assert.equal(state.closed, 1030)
})

test('looks begin together at fifteen moments of an interval, whatever the chance', async () => {
  const clock = new ManualClock(0)
  const moments = new Set<number>()
  let chance = 0
  clock.random = () => (chance = (chance + 0.37) % 1)
  const pipeline = aSettled()
  const sampling = new Sampling({
    open: () => ({
      sample: async () => {
        moments.add(Math.round(clock.now()))
        return seen(1)
      },
      close: () => {}
    }),
    clock,
    log: silentLog,
    intervalMs: 15_000,
    onChange: () => {}
  })
  for (let index = 0; index < 100; index++) sampling.follow(`a/${index}`, pipeline)
  await clock.advance(120_000)
  sampling.close()
  assert.deepEqual(
    [...moments].filter(atMs => atMs % 1000 !== 0),
    []
  )
  assert.ok(moments.size > 20, `${moments.size} moments`)
})
