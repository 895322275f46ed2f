import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartitionOffsets } from '../../../operator/source/partition-offsets.ts'
import { nextRates, ratesOf, type GroupSight, type RateHistory, type Rates } from '../../../operator/scaling/rates.ts'

const WINDOW_MS = 60_000
const STABLE: GroupSight = { members: 2, isStable: true }

interface Look {
  readonly second: number
  readonly offsets: readonly Partial<PartitionOffsets>[]
  readonly group?: GroupSight
}

const whole = (partial: Partial<PartitionOffsets>, partition: number): PartitionOffsets => ({
  topic: 'trips',
  partition,
  committed: 0,
  metadata: '',
  logStart: 0,
  lastStable: 0,
  ...partial
})

function after(looks: readonly Look[]): Rates {
  let history: RateHistory | undefined
  for (const { second, offsets, group = STABLE } of looks) {
    history = nextRates(history, offsets.map(whole), second * 1000, { windowMs: WINDOW_MS, group })
  }
  const rates = history && ratesOf(history)
  assert.ok(rates)
  return rates
}

const every15s = (count: number, offsets: (second: number) => readonly Partial<PartitionOffsets>[]): Look[] =>
  Array.from({ length: count }, (_, index) => ({ second: index * 15, offsets: offsets(index * 15) }))

test('rates are growth over the window, arrival of ends and drain of committed offsets', () => {
  const rates = after(every15s(9, second => [{ lastStable: 1000 + 100 * second, committed: 80 * second }]))
  const [part] = rates.partitions
  assert.equal(part?.arrival, 100)
  assert.equal(part?.drain, 80)
  assert.equal(part?.lag, 1000 + 20 * 120)
  assert.equal(part?.leastLag, 1000 + 20 * 60)
  assert.equal(rates.spanMs, WINDOW_MS)
  assert.equal(rates.steadyMs, 120_000)
})

test('a first look tells lag and no rates, and covers no time', () => {
  const rates = after([{ second: 0, offsets: [{ lastStable: 50, committed: 20 }] }])
  assert.deepEqual(rates.partitions, [
    { topic: 'trips', partition: 0, arrival: 0, drain: 0, lag: 30, leastLag: 30, isCommitted: true }
  ])
  assert.equal(rates.spanMs, 0)
  assert.equal(rates.steadyMs, 0)
})

test('a topic created anew begins again: its offsets went back', () => {
  const rates = after([
    { second: 0, offsets: [{ lastStable: 9000, committed: 9000 }] },
    { second: 15, offsets: [{ lastStable: 9500, committed: 9400 }] },
    { second: 30, offsets: [{ lastStable: 10, committed: 0 }] },
    { second: 45, offsets: [{ lastStable: 40, committed: 15 }] }
  ])
  assert.equal(rates.partitions[0]?.arrival, 2)
  assert.equal(rates.partitions[0]?.drain, 1)
})

test('a partition that was added has rates from its second look on, and does not disturb the others', () => {
  const rates = after([
    { second: 0, offsets: [{ lastStable: 0 }] },
    { second: 15, offsets: [{ lastStable: 150 }] },
    { second: 30, offsets: [{ lastStable: 300 }, { lastStable: 1000, committed: undefined }] }
  ])
  assert.equal(rates.partitions[0]?.arrival, 10)
  assert.deepEqual(
    [rates.partitions[1]?.arrival, rates.partitions[1]?.lag, rates.partitions[1]?.leastLag],
    [0, undefined, undefined]
  )
  assert.equal(rates.spanMs, 30_000)
})

test('what is not known is unknown, never 0', () => {
  const unknown: readonly Partial<PartitionOffsets>[] = [
    { lastStable: undefined, committed: 5 },
    { logStart: undefined, lastStable: 10, committed: 5 },
    { lastStable: 10, committed: undefined },
    { lastStable: 10, committed: 11 }
  ]
  const rates = after(every15s(3, () => unknown))
  for (const { lag, leastLag } of rates.partitions) assert.deepEqual([lag, leastLag], [undefined, undefined])
  const empty = after([{ second: 0, offsets: [{ logStart: 7, lastStable: 7, committed: undefined }] }])
  assert.deepEqual([empty.partitions[0]?.lag, empty.partitions[0]?.isCommitted], [0, false])
})

test('records that retention deleted do not wait and were not written', () => {
  const rates = after(every15s(5, second => [{ logStart: 500, lastStable: 1000 + second, committed: 100 }]))
  assert.equal(rates.partitions[0]?.lag, 560)
  assert.equal(rates.partitions[0]?.drain, 0)
})

test('after a gap of more than a window everything begins anew', () => {
  const looks = every15s(5, second => [{ lastStable: second }])
  const rates = after([...looks, { second: 600, offsets: [{ lastStable: 100_000 }] }])
  assert.equal(rates.spanMs, 0)
  assert.equal(rates.partitions[0]?.arrival, 0)
})

test('a missing sample is bridged', () => {
  const looks = every15s(6, second => [{ lastStable: 10 * second }]).filter(({ second }) => second !== 45)
  assert.equal(after(looks).partitions[0]?.arrival, 10)
})

test('the group is steady since its members last changed or it was last unstable', () => {
  const looks = (groups: readonly GroupSight[]): Look[] =>
    groups.map((group, index) => ({ second: index * 15, offsets: [{}], group }))
  const three = { members: 3, isStable: true }
  assert.equal(after(looks([STABLE, STABLE, three, three, three])).steadyMs, 30_000)
  assert.equal(after(looks([STABLE, { members: 2, isStable: false }, STABLE, STABLE])).steadyMs, 30_000)
  const unasked = { members: undefined, isStable: true }
  assert.equal(after(looks([STABLE, unasked, STABLE, STABLE])).steadyMs, 45_000)
})

test('looks often made keep few samples', () => {
  let history: RateHistory | undefined
  for (let ms = 0; ms < 600_000; ms += 500) {
    history = nextRates(history, [whole({ lastStable: ms, committed: ms / 2 }, 0)], ms, {
      windowMs: WINDOW_MS,
      group: STABLE
    })
    assert.ok(history.samples.length <= 9, `${history.samples.length} samples`)
  }
  const rates = history && ratesOf(history)
  assert.equal(rates?.partitions[0]?.arrival, 1000)
  assert.ok((rates?.spanMs ?? 0) >= WINDOW_MS && (rates?.spanMs ?? 0) < 1.5 * WINDOW_MS, `${rates?.spanMs}`)
})
