import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomId, systemClock } from '../../lib/clock.ts'

test('a sleep ends when its signal aborts, without an error', async () => {
  const stop = new AbortController()
  const slept = systemClock.sleep(3_600_000, stop.signal)
  stop.abort()
  await slept
  await systemClock.sleep(3_600_000, stop.signal)
})

test('an id is 128 bits of the clock’s own chance', () => {
  const fixed = { ...systemClock, random: () => 0.5 }
  assert.equal(randomId(fixed), '80000000800000008000000080000000')
  assert.notEqual(randomId(systemClock), randomId(systemClock))
})
