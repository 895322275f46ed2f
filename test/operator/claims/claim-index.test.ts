import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimIndex, type Claimant, type Taken } from '../../../operator/claims/claim-index.ts'
import type { Claim } from '../../../operator/claims/claims.ts'

const claim = (id: string): Claim => ({ what: id.startsWith('g') ? 'group' : 'table', id, name: id.toUpperCase() })
const since = (createdAtMs: number, ...ids: string[]): Claimant => ({
  createdAtMs,
  uid: `uid-${createdAtMs}`,
  claims: ids.map(claim)
})

test('the oldest has it, whatever the order in which they are seen', () => {
  const index = new ClaimIndex()
  assert.deepEqual(index.set('young', since(2, 't')), [])
  assert.deepEqual(index.set('old', since(1, 't')), ['young'])
  assert.deepEqual(index.holderOf('young'), { holder: 'old', what: 'table', name: 'T' })
  assert.equal(index.holderOf('old'), undefined)
})

test('what the holder gives up, or leaves, goes to the next', () => {
  const index = new ClaimIndex()
  for (const [key, at] of [
    ['a', 1],
    ['b', 2],
    ['c', 3]
  ] as const)
    index.set(key, since(at, 't', 'g'))
  assert.deepEqual([...index.delete('a')].toSorted(), ['b', 'c'])
  assert.equal(index.holderOf('b'), undefined)
  assert.equal(index.holderOf('c')?.holder, 'b')
  assert.deepEqual([...index.set('b', since(2, 'other'))], ['c'])
  assert.equal(index.holderOf('c'), undefined)
})

test('of two that were created in the same second, the uid decides', () => {
  const index = new ClaimIndex()
  index.set('x/one', { createdAtMs: 1, uid: 'b', claims: [claim('t')] })
  index.set('x/two', { createdAtMs: 1, uid: 'a', claims: [claim('t')] })
  assert.equal(index.holderOf('x/one')?.holder, 'x/two')
})

test('in any order of changes, holders and the keys that are told are exactly right', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = dice(seed)
    const index = new ClaimIndex()
    const world = new Map<string, Claimant>()
    for (let step = 0; step < 40; step++) {
      const key = `p${next(6)}`
      const before = answers(world)
      const ids = Array.from({ length: next(4) }, () => `${next(2) === 0 ? 'g' : 't'}${next(4)}`)
      const claimant = { ...since(next(4), ...ids), uid: `uid-${next(3)}` }
      const isGone = next(4) === 0
      const told = isGone ? index.delete(key) : index.set(key, claimant)
      if (isGone) world.delete(key)
      else world.set(key, claimant)
      const now = answers(world)
      for (const one of KEYS) assert.deepEqual(index.holderOf(one), now.get(one), `seed ${seed}, step ${step}, ${one}`)
      const changed = KEYS.filter(one => JSON.stringify(before.get(one)) !== JSON.stringify(now.get(one)))
      assert.deepEqual(told.toSorted(), changed, `seed ${seed}, step ${step}`)
    }
  }
})

test('five thousand pipelines, each with two tables of its own, are told to nobody', () => {
  const index = new ClaimIndex()
  for (let at = 0; at < 5000; at++) assert.deepEqual(index.set(`p${at}`, since(at, `g${at}`, `t${at}`, `d${at}`)), [])
  assert.deepEqual(index.set('late', since(9999, 't17')), ['late'])
  assert.deepEqual(index.delete('p17'), ['late'])
})

const KEYS = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']

/** What each key should be told, by the definition alone. */
function answers(world: ReadonlyMap<string, Claimant>): ReadonlyMap<string, Taken> {
  const byAge = [...world].toSorted(
    ([a, one], [b, other]) => one.createdAtMs - other.createdAtMs || compare(one.uid, other.uid) || compare(a, b)
  )
  const found = new Map<string, Taken>()
  for (const [key, { claims }] of world) {
    for (const { id, what, name } of claims) {
      const [holder] = byAge.find(([, other]) => other.claims.some(claim => claim.id === id)) ?? [key]
      if (holder === key || found.has(key)) continue
      found.set(key, { holder, what, name })
    }
  }
  return found
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))

/** Numbers below a limit, the same for the same seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state ^ (state >>> 13)) >>> 3) % limit
  }
}
