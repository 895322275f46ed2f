import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLimitBytes, parseLimit, planMemory } from '../../consumer/memory.ts'

test('a cgroup’s limit is read, and its words for none', () => {
  assert.equal(parseLimit('268435456\n'), 268_435_456)
  for (const none of ['max\n', '9223372036854771712\n', '', '0']) assert.equal(parseLimit(none), undefined)
})

test('the flag wins over the cgroup', async () => assert.equal(await memoryLimitBytes(1234), 1234))

test('buffers get half of what the runtime leaves of the limit, and never more than a third of it', () => {
  const mebibyte = 1024 * 1024
  const budgets = [
    [64, 4],
    [256, 32],
    [384, 96],
    [768, 256],
    [3072, 1024]
  ] as const
  for (const [limit, budget] of budgets) {
    assert.equal(planMemory(limit * mebibyte).budgetBytes, budget * mebibyte)
    assert.ok(planMemory(limit * mebibyte).fetchBytes <= Math.max(mebibyte, (limit * mebibyte) / 32))
  }
})
