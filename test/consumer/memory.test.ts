import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLimitBytes, parseLimit, planMemory } from '../../consumer/memory.ts'

test('a cgroup’s limit is read, and its words for none', () => {
  assert.equal(parseLimit('268435456\n'), 268_435_456)
  for (const none of ['max\n', '9223372036854771712\n', '', '0']) assert.equal(parseLimit(none), undefined)
})

test('the flag wins over the cgroup', async () => assert.equal(await memoryLimitBytes(1234), 1234))

test('buffers get a third of the limit', () => {
  const limitBytes = 256 * 1024 * 1024
  assert.equal(planMemory(limitBytes).budgetBytes, Math.floor(limitBytes / 3))
  assert.ok(planMemory(limitBytes).fetchBytes <= limitBytes / 32)
})
