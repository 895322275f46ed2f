import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseFault, type Protocol } from './faults.ts'
import { expectationOf } from './expectation.ts'
import { randomFrom } from './random.ts'
import { flawOf, partitionPlans, valueOf } from './workload.ts'

const workload = { records: 50_003, seed: 7 }

test('eight topics with 24 partitions share all records', () => {
  const plans = partitionPlans(workload)
  assert.equal(plans.length, 24)
  assert.equal(new Set(plans.map(({ topic }) => topic)).size, 8)
  assert.equal(
    plans.reduce((sum, { records }) => sum + records, 0),
    workload.records
  )
})

test('about one record in 500 is flawed, in every way, and the same ones each time', () => {
  const expected = expectationOf(workload)
  const flawed = expected.reduce((sum, each) => sum + each.flawed.length, 0)
  assert.ok(flawed > 60 && flawed < 160, `${flawed} are flawed`)
  assert.deepEqual(expectationOf(workload), expected)
  assert.notDeepEqual(expectationOf({ ...workload, seed: 8 }), expected)
})

test('values are JSON that names its coordinates, except where they are flawed as told', () => {
  const seen = new Set<string>()
  for (const plan of partitionPlans(workload)) {
    for (let offset = 0; offset < plan.records; offset++) {
      const flaw = flawOf(workload.seed, plan, offset)
      const value = valueOf(workload.seed, plan, offset)
      const id = `${plan.topic}-${plan.partition}-${offset}`
      seen.add(flaw ?? 'none')
      if (flaw === 'cut off') assert.throws(() => JSON.parse(value.toString()))
      else if (flaw === 'not UTF-8') assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(value))
      else assert.equal((JSON.parse(value.toString()) as { id?: string }).id, flaw === undefined ? id : undefined)
    }
  }
  assert.equal(seen.size, 4)
})

test('all faults of writes and of reads come about, and mostly none does', () => {
  const count = (method: string, isCommit: boolean, protocol: Protocol = 's3') => {
    const random = randomFrom(1, 2)
    const kinds = Array.from({ length: 10_000 }, () => chooseFault({ protocol, method, isCommit }, random).kind)
    return Object.fromEntries([...Map.groupBy(kinds, kind => kind)].map(([kind, all]) => [kind, all.length]))
  }
  const writes = count('PUT', true)
  assert.deepEqual(Object.keys(writes).sort(), ['delay', 'loseResponse', 'none', 'resetBefore', 'unavailable'])
  assert.ok((writes['loseResponse'] ?? 0) > 300 && (writes['none'] ?? 0) > 7000)
  assert.deepEqual(Object.keys(count('GET', false)).sort(), [
    'cutResponse',
    'delay',
    'none',
    'resetBefore',
    'unavailable'
  ])
  const catalog = Object.keys(count('POST', true, 'catalog')).sort()
  assert.deepEqual(catalog, [...Object.keys(writes), 'conflict', 'failAfter', 'repeat'].sort())
})
