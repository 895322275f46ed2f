import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Allowance } from '../../../operator/kube/allowance.ts'

const taken = (allowance: Allowance, key: string, atMs: number, times: number) =>
  Array.from({ length: times }, () => allowance.take(key, atMs)).filter(Boolean).length

test('a burst is allowed, then one after each refill, and never more than a burst was saved', () => {
  const allowance = new Allowance({ burst: 3, refillMs: 100, maxKeys: 10 })
  assert.equal(taken(allowance, 'a', 0, 5), 3)
  assert.equal(taken(allowance, 'a', 99, 5), 0)
  assert.equal(taken(allowance, 'a', 100, 5), 1)
  assert.equal(taken(allowance, 'b', 100, 5), 3)
  assert.equal(taken(allowance, 'a', 1_000_000, 5), 3)
})

test('a clock that goes back takes nothing away', () => {
  const allowance = new Allowance({ burst: 2, refillMs: 100, maxKeys: 10 })
  assert.equal(taken(allowance, 'a', 1000, 1), 1)
  assert.equal(taken(allowance, 'a', 0, 5), 1)
})

test('of too many keys the one asked for the longest ago starts anew', () => {
  const allowance = new Allowance({ burst: 1, refillMs: 1e9, maxKeys: 2 })
  for (const key of ['a', 'b', 'a', 'c']) allowance.take(key, 0)
  assert.deepEqual([allowance.take('a', 0), allowance.take('c', 0), allowance.take('b', 0)], [false, false, true])
})
