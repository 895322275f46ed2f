import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../lib/clock.ts'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import { retrying } from '../../lib/retry.ts'

const waits: number[] = []
const clock: Clock = { now: () => 0, random: () => 0, sleep: async ms => void waits.push(ms) }
const goingOn = new AbortController().signal

test('trouble is told and tried again after longer and longer waits, until it has passed', async () => {
  const told: string[] = []
  let left = 3
  const work = async () => {
    if (left-- > 0) throw new RetryableError('Busy', `${left} left`)
    return 'done'
  }
  assert.equal(await retrying(work, clock, goingOn, ({ message }) => told.push(message)), 'done')
  assert.deepEqual(told, ['2 left', '1 left', '0 left'])
  assert.deepEqual(waits, [50, 100, 200])
})

test('what cannot pass is thrown at once', async () => {
  const work = () => Promise.reject(new FatalError('Wrong', 'for ever'))
  await assert.rejects(
    retrying(work, clock, goingOn, () => assert.fail('it was told as trouble')),
    /for ever/
  )
})

test('a stop ends it without a result', async () => {
  const stop = new AbortController()
  const work = () => Promise.reject(new RetryableError('Busy', 'still'))
  assert.equal(await retrying(work, clock, stop.signal, () => stop.abort()), undefined)
})
