import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Executioner } from './executioner.ts'

/** The second choice of a strike is its moment: 0.3 is the second of five. */
const chances = (...values: number[]) => {
  let next = 0
  return () => values[next++ % values.length] ?? 0
}
const commit = { path: '/b/lake/bronze/t0/_delta_log/1.json', isCommit: true }

test('a consumer dies at the commit it is aimed at, and only that one', async () => {
  const killed: number[] = []
  const executioner = new Executioner(slot => killed.push(slot) > 0, chances(0.3, 0.3))
  const strike = executioner.strike([4, 5, 6])
  assert.equal(executioner.witness(5, 'before', commit), false)
  assert.equal(executioner.witness(4, 'after', commit), false)
  assert.equal(executioner.witness(4, 'before', { ...commit, isCommit: false }), false)
  assert.equal(executioner.witness(4, 'before', { ...commit, path: '/b/lake/bronze/dlq_t0/_delta_log/1.json' }), false)
  assert.equal(executioner.witness(4, 'before', commit), true)
  await strike
  assert.equal(executioner.witness(4, 'before', commit), false)
  assert.deepEqual(killed, [4])
  assert.equal(executioner.kills['commit sent'], 1)
})

test('at any time means at once, as soon as the consumer runs', async () => {
  let attempts = 0
  const executioner = new Executioner(() => ++attempts === 2, chances(0))
  await executioner.strike([1])
  assert.equal(executioner.count, 1)
})
