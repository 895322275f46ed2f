import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedQueue } from '../../../operator/queue/queue.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const given = (chance?: number) => {
  const clock = new ManualClock(0, chance)
  return { clock, queue: new KeyedQueue(clock) }
}

test('a key that is added twice is given out once, at the earlier time', async () => {
  const { clock, queue } = given()
  queue.add('a', 100)
  queue.add('a', 50)
  queue.add('a', 200)
  await clock.advance(49)
  assert.equal(queue.take(), undefined)
  await clock.advance(1)
  assert.equal(queue.take(), 'a')
  queue.succeeded('a', undefined)
  await clock.advance(1000)
  assert.equal(queue.take(), undefined)
})

test('the key that is due the longest comes first', async () => {
  const { clock, queue } = given()
  queue.add('late', 20)
  queue.add('early', 10)
  await clock.advance(30)
  assert.equal(queue.take(), 'early')
  assert.equal(queue.take(), 'late')
})

test('a key in work is not given out again, and what came meanwhile is not lost', () => {
  const { queue } = given()
  queue.add('a')
  assert.equal(queue.take(), 'a')
  queue.add('a')
  assert.equal(queue.take(), undefined)
  queue.succeeded('a', undefined)
  assert.equal(queue.take(), 'a')
})

test('failures of a key double its wait up to five minutes, and a success forgets them', () => {
  const { queue } = given(1)
  const waits: number[] = []
  for (let turn = 0; turn < 14; turn++) waits.push(queue.failed('a'))
  assert.deepEqual(waits.slice(0, 4), [100, 200, 400, 800])
  assert.equal(waits.at(-1), 300_000)
  queue.succeeded('a', undefined)
  assert.equal(queue.failed('a'), 100)
})

test('what people edited comes before what was due longer', async () => {
  const { clock, queue } = given()
  queue.add('first list')
  queue.add('resync')
  await clock.advance(10)
  queue.add('edited', 0, 'high')
  assert.deepEqual([queue.take(), queue.take(), queue.take()], ['edited', 'first list', 'resync'])
})

test('a key keeps the highest priority and the earliest time it was added with', async () => {
  const { clock, queue } = given()
  queue.add('other')
  queue.add('a', 1000, 'high')
  queue.add('a', 5)
  queue.add('a', 2000)
  assert.equal(queue.size, 2)
  await clock.advance(5)
  assert.equal(queue.take(), 'a')
})

test('a back-off holds up all but what people edit', async () => {
  const { clock, queue } = given(1)
  queue.add('a', 0, 'high')
  for (let turn = 0; turn < 9; turn++) {
    assert.equal(queue.take(), 'a')
    queue.failed('a')
    if (turn < 8) queue.add('a', 0, 'high')
  }
  queue.add('a')
  await clock.advance(25_000)
  assert.equal(queue.take(), undefined)
  queue.add('a', 0, 'high')
  assert.equal(queue.take(), 'a')
})

test('what was added during work that failed waits for the back-off, what people edited does not', async () => {
  const { clock, queue } = given(1)
  for (const priority of ['low', 'high'] as const) {
    queue.add('a')
    assert.equal(queue.take(), 'a')
    queue.add('a', 0, priority)
    queue.failed('a')
    assert.equal(queue.take(), priority === 'high' ? 'a' : undefined)
    await clock.advance(100)
    if (priority === 'low') assert.equal(queue.take(), 'a')
    queue.succeeded('a', undefined)
  }
})

test('the queue is stalled while keys are due or in work and none is done', async () => {
  const { clock, queue } = given()
  queue.add('later', 60_000)
  await clock.advance(59_000)
  assert.equal(queue.stalledMs(), 0)
  await clock.advance(2000)
  assert.equal(queue.stalledMs(), 1000)
  queue.take()
  await clock.advance(10_000)
  assert.equal(queue.stalledMs(), 11_000)
  queue.add('due')
  queue.succeeded('later', undefined)
  assert.equal(queue.stalledMs(), 0)
  await clock.advance(3000)
  assert.equal(queue.stalledMs(), 3000)
})

test('a random life of five thousand keys ends with each given out in order, and none lost', async () => {
  const { clock, queue } = given()
  const random = mulberry(7)
  const due = new Map<string, number>()
  for (let step = 0; step < 20_000; step++) {
    const key = `k${Math.floor(random() * 5000)}`
    const afterMs = Math.floor(random() * 1000)
    queue.add(key, afterMs)
    due.set(key, Math.min(due.get(key) ?? Infinity, clock.now() + afterMs))
    if (random() < 0.01) await clock.advance(1)
  }
  await clock.advance(2000)
  const taken: string[] = []
  for (let key = queue.take(); key !== undefined; key = queue.take()) taken.push(key)
  assert.equal(new Set(taken).size, taken.length)
  assert.deepEqual(new Set(taken), new Set(due.keys()))
  const times = taken.map(key => due.get(key) ?? NaN)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b)
  )
})

/** A small generator of chance that a seed repeats. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
