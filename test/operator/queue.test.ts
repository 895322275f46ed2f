import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedQueue, work } from '../../operator/queue.ts'
import { ManualClock } from '../fakes/manual-clock.ts'

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

test('workers take as many keys at once as there are workers, and no key twice', async () => {
  const { clock, queue } = given()
  const stop = new AbortController()
  const running = new Map<string, () => void>()
  let most = 0
  const perform = (key: string) => {
    assert.ok(!running.has(key), `${key} is in work already`)
    const { promise, resolve } = Promise.withResolvers<{ requeueAfterMs: undefined }>()
    running.set(key, () => {
      running.delete(key)
      resolve({ requeueAfterMs: undefined })
    })
    most = Math.max(most, running.size)
    return promise
  }
  const done = work(queue, 2, stop.signal, perform, assert.fail)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await clock.advance(0)
  queue.add('a')
  await clock.advance(0)
  assert.deepEqual([...running.keys()], ['a', 'b'])
  running.get('b')!()
  await clock.advance(0)
  assert.deepEqual([...running.keys()], ['a', 'c'])
  running.get('a')!()
  await clock.advance(0)
  assert.deepEqual([...running.keys()], ['c', 'a'])
  assert.equal(most, 2)
  stop.abort()
  for (const finish of running.values()) finish()
  await done
})

test('a failed key comes back after its wait, a finished one when it asked to', async () => {
  const { clock, queue } = given(0)
  const stop = new AbortController()
  const seen: string[] = []
  const failures: number[] = []
  const perform = async (key: string) => {
    seen.push(`${key} at ${clock.now()}`)
    if (key === 'bad' && seen.length < 3) throw new Error('no')
    return { requeueAfterMs: key === 'good' ? 1000 : undefined }
  }
  const done = work(queue, 1, stop.signal, perform, (_key, _error, afterMs) => failures.push(afterMs))
  queue.add('good')
  queue.add('bad')
  await clock.advance(1000)
  assert.deepEqual(seen, ['good at 0', 'bad at 0', 'bad at 50', 'good at 1000'])
  assert.deepEqual(failures, [50])
  stop.abort()
  await clock.advance(60_000)
  await done
})
