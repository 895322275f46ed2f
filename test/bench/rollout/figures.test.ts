import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figuresOf, refetched, type Rolled } from '../../../bench/rollout/figures.ts'

const every = (stepMs: number, fromMs: number, toMs: number, partitions: readonly number[]) =>
  Array.from({ length: (toMs - fromMs) / stepMs + 1 }, (_, n) => ({ atMs: fromMs + n * stepMs, partitions }))

const rolled = (part: Partial<Rolled>): Rolled => ({
  fromMs: 10_000,
  readyMs: 14_000,
  untilMs: 30_000,
  commits: every(1000, 0, 30_000, [0, 1]),
  fetched: [],
  joined: [{ atMs: 0, generation: 3 }],
  partitions: 2,
  ...part
})

test('a roll that nobody notices costs nothing but its time', () => {
  assert.deepEqual(figuresOf(rolled({})), {
    rebalances: 0,
    rollSeconds: 4,
    silentSeconds: 1,
    worstPartitionSeconds: 1,
    stalledPartitionSeconds: 0,
    refetchedRecords: 0
  })
})

test('a gap counts from the last commit before the roll, for each partition', () => {
  const both = [...every(1000, 0, 9000, [0, 1]), ...every(1000, 15_000, 30_000, [0, 1])]
  const { silentSeconds, stalledPartitionSeconds } = figuresOf(rolled({ commits: both }))
  assert.deepEqual([silentSeconds, stalledPartitionSeconds], [6, 10])

  const one = [...every(1000, 0, 30_000, [0]), ...every(1000, 0, 9000, [1]), ...every(1000, 15_000, 30_000, [1])]
  const figures = figuresOf(rolled({ commits: one.toSorted((a, b) => a.atMs - b.atMs) }))
  assert.deepEqual([figures.silentSeconds, figures.worstPartitionSeconds, figures.stalledPartitionSeconds], [1, 6, 5])
})

test('rebalances are the generations that the group has gone through, whoever took part', () => {
  const joined = [
    { atMs: 0, generation: 3 },
    { atMs: 12_000, generation: 5 },
    { atMs: 12_000, generation: 5 }
  ]
  assert.equal(figuresOf(rolled({ joined })).rebalances, 2)
})

test('records count as fetched again when another fetch of their partition had them', () => {
  const range = (partition: number, from: number, next: number) => ({ partition, from, next })
  assert.equal(refetched([range(0, 0, 10), range(0, 10, 20), range(1, 0, 10)]), 0)
  assert.equal(refetched([range(0, 0, 10), range(0, 5, 20)]), 5)
  assert.equal(refetched([range(0, 0, 30), range(0, 5, 10), range(0, 5, 10), range(0, 29, 31)]), 11)
})
