import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryEntry } from '../../../../consumer/sinks/history.ts'
import { readS3History } from '../../../../consumer/sinks/s3/history.ts'
import { FaultyStore } from '../../../fakes/faulty-store.ts'
import { commit } from '../../../conformance/commits.ts'
import { first } from '../../../conformance/sink-context.ts'
import { hastyClock } from '../../../fakes/delta-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { s3Harness } from '../../../fakes/s3-sink-harness.ts'

const MINUTE_MS = 60_000
const ALL = { sinceMs: 0, untilMs: Infinity }

/** Commits of two partitions, one a minute, each minute with one row more. */
async function minutes(count: number) {
  const store = new MemoryStore()
  let nowMs = 0
  const harness = s3Harness(store, { sink: { clock: { ...hastyClock, now: () => nowMs } } })
  const { sink } = harness.process()
  await sink.open()
  let from = 0
  for (let minute = 1; minute <= count; minute++) {
    nowMs = minute * MINUTE_MS
    const expected = minute === 1 ? undefined : from
    const to = from + minute
    await commit(sink, harness, [
      { from, to, expected },
      { partition: 1, from, to, expected, bad: [from] }
    ])
    from = to
  }
  return { store, harness, sink, setNow: (ms: number) => (nowMs = ms) }
}

const told = (entries: readonly HistoryEntry[]) =>
  entries.map(({ committedMs, topic, records, deadLetters }) => [committedMs / MINUTE_MS, topic, records, deadLetters])

test('what each commit took from a topic is told once, newest first, its partitions together', async () => {
  const { store } = await minutes(3)
  const entries = await Array.fromAsync(readS3History(store, 'bronze.orders', ALL))
  assert.deepEqual(told(entries), [
    [3, 'orders', 5, 1],
    [2, 'orders', 3, 1],
    [1, 'orders', 1, 1]
  ])
  assert.equal(new Set(entries.map(({ version }) => version)).size, 3)
  assert.deepEqual(new Set(entries.map(({ pipeline }) => pipeline)), new Set(['test/conformance']))
})

test('a range is told with both its ends, and no more is read than it needs', async () => {
  const { store } = await minutes(20)
  const faulty = new FaultyStore(store)
  let gets = 0
  faulty.fault = ({ kind }) => {
    if (kind === 'get') gets++
    return undefined
  }
  const range = { sinceMs: 17 * MINUTE_MS, untilMs: 18 * MINUTE_MS }
  const entries = await Array.fromAsync(readS3History(faulty, 'bronze.orders', range))
  assert.deepEqual(
    told(entries).map(([minute]) => minute),
    [18, 17]
  )
  // Four minutes and one more for clocks that differ, and the first commit beyond: of two partitions.
  assert.equal(gets, 2 * 6)
})

test('commits of clocks that differ a little are all told', async () => {
  const { store, harness, sink, setNow } = await minutes(2)
  setNow(1.5 * MINUTE_MS)
  await commit(sink, harness, [{ from: 3, to: 4 }])
  const entries = await Array.fromAsync(
    readS3History(store, 'bronze.orders', { sinceMs: 2 * MINUTE_MS, untilMs: Infinity })
  )
  assert.deepEqual(told(entries), [[2, 'orders', 3, 1]])
})

test('a table that is not there has no past', async () => {
  assert.deepEqual(await Array.fromAsync(readS3History(new MemoryStore(), 'bronze.orders', ALL)), [])
})

test('topics of one commit are told each for itself', async () => {
  const store = new MemoryStore()
  const harness = s3Harness(store)
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [first(0, 2)])
  const [path = '', object] = [...store.objects].find(([each]) => each.includes('/commits/')) ?? []
  const other = String(object?.bytes).replace('"topic":"orders"', '"topic":"clicks"')
  await store.put(path.replace('/commits/orders/', '/commits/clicks/'), [Buffer.from(other)])
  const entries = await Array.fromAsync(readS3History(store, 'bronze.orders', ALL))
  assert.deepEqual(
    entries.map(({ topic, records }) => [topic, records]),
    [
      ['clicks', 2],
      ['orders', 2]
    ]
  )
})
