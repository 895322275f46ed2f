import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedQueue } from '../../../operator/queue/queue.ts'
import { work, type WorkOptions } from '../../../operator/queue/work.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function given(workers: number, perform: WorkOptions['perform'], chance?: number) {
  const clock = new ManualClock(0, chance)
  const queue = new KeyedQueue(clock)
  const [stop, cut] = [new AbortController(), new AbortController()]
  const told: string[] = []
  const done = work({
    queue,
    clock,
    workers,
    deadlineMs: 60_000,
    signal: stop.signal,
    cut: cut.signal,
    perform,
    onLate: key => told.push(`${key} late at ${clock.now()}`),
    onFailure: (key, error, afterMs) => told.push(`${key} failed with ${String(error)}, again after ${afterMs}`)
  })
  return { clock, queue, stop, cut, told, done }
}

const OK = { requeueAfterMs: undefined }

/** Rejects when the signal aborts. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

test('workers take as many keys at once as there are workers, and no key twice', async () => {
  const running = new Map<string, () => void>()
  let most = 0
  const perform = (key: string) => {
    assert.ok(!running.has(key), `${key} is in work already`)
    const { promise, resolve } = Promise.withResolvers<typeof OK>()
    running.set(key, () => {
      running.delete(key)
      resolve(OK)
    })
    most = Math.max(most, running.size)
    return promise
  }
  const { clock, queue, stop, done } = given(2, perform)
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
  const seen: string[] = []
  const perform = async (key: string) => {
    seen.push(`${key} at ${clock.now()}`)
    if (key === 'bad' && seen.length < 3) throw new Error('no')
    return { requeueAfterMs: key === 'good' ? 1000 : undefined }
  }
  const { clock, queue, stop, told, done } = given(1, perform, 0)
  queue.add('good')
  queue.add('bad')
  await clock.advance(1000)
  assert.deepEqual(seen, ['good at 0', 'bad at 0', 'bad at 50', 'good at 1000'])
  assert.deepEqual(told, ['bad failed with Error: no, again after 50'])
  stop.abort()
  await done
})

test('work that takes longer than its deadline is told to stop, and is counted', async () => {
  const { clock, queue, stop, told, done } = given(1, (_key, signal) => untilAborted(signal), 0)
  queue.add('slow')
  await clock.advance(59_999)
  assert.deepEqual(told, [])
  await clock.advance(1)
  assert.deepEqual(told, ['slow late at 60000', 'slow failed with Error: aborted, again after 50'])
  stop.abort()
  await clock.advance(60_000)
  await done
})

test('work that does not heed its deadline keeps its key, and the others go on', async () => {
  const hung = Promise.withResolvers<typeof OK>()
  let begun = 0
  const perform = async (key: string) => {
    if (key !== 'hung') return { requeueAfterMs: 10_000 }
    begun++
    return hung.promise
  }
  const { clock, queue, stop, told, done } = given(2, perform)
  queue.add('hung')
  queue.add('other')
  await clock.advance(600_000)
  queue.add('hung', 0, 'high')
  await clock.advance(0)
  assert.equal(begun, 1)
  assert.deepEqual(told, ['hung late at 60000'])
  assert.ok(queue.stalledMs() <= 10_000)
  stop.abort()
  hung.resolve(OK)
  await done
})

test('a stop lets what was begun finish, a cut does not', async () => {
  const finished: string[] = []
  const perform = async (key: string, signal: AbortSignal) => {
    await (key === 'slow' ? untilAborted(signal) : clock.sleep(1000))
    finished.push(key)
    return OK
  }
  const { clock, queue, stop, cut, told, done } = given(2, perform, 0)
  queue.add('quick')
  queue.add('slow')
  await clock.advance(500)
  stop.abort()
  queue.add('never begun')
  await clock.advance(1000)
  assert.deepEqual(finished, ['quick'])
  cut.abort()
  await done
  assert.deepEqual(finished, ['quick'])
  assert.deepEqual(told, ['slow failed with Error: aborted, again after 50'])
})

test('work that throws at once, and not an error, fails like any other', async () => {
  const perform = (): never => {
    // oxlint-disable-next-line no-throw-literal -- somebody else's code may do this
    throw 'nonsense'
  }
  const { clock, queue, stop, told, done } = given(1, perform, 0)
  queue.add('a')
  await clock.advance(0)
  assert.deepEqual(told, ['a failed with nonsense, again after 50'])
  stop.abort()
  await done
})
