import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deltaHistory } from '../../../../consumer/sinks/delta/history.ts'
import { entryPath, formatEntry } from '../../../../consumer/sinks/delta/log.ts'
import type { Action } from '../../../../consumer/sinks/delta/actions.ts'
import type { HistoryNote, HistoryRange, TableHistory } from '../../../../consumer/sinks/history.ts'
import type { ObjectStore } from '../../../../consumer/store/object-store.ts'
import { under } from '../../../../consumer/store/under.ts'
import { systemClock } from '../../../../lib/clock.ts'
import { batchOf } from '../../../conformance/batches.ts'
import { deltaHarness } from '../../../fakes/delta-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const ALL: HistoryRange = { sinceMs: 0, untilMs: Infinity }
const SECOND = 1_000
const HOUR = 3_600_000

const noNote = ({ message }: HistoryNote) => assert.fail(message)
const collect = async (history: TableHistory) => await Array.fromAsync(history.read())

/** A log without a table: one commit of one topic each `everyMs`, `records` counting up. */
async function logOf(entries: number, everyMs: number): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (let version = 0; version < entries; version++) await write(store, version, [ours(NOON + version * everyMs)])
  return store
}

const write = async (store: ObjectStore, version: number, actions: readonly Action[]) =>
  await store.put(entryPath(version), [formatEntry(actions)])

function ours(timestamp: number, ranges: readonly object[] = [range('orders', 1)]): Action {
  const bronze = {
    pipeline: 'shop/a',
    createdAt: undefined,
    consumerId: 'c',
    commitIds: ['x'],
    deadLetters: [],
    ranges
  }
  return { commitInfo: { timestamp, bronze } } as unknown as Action
}

const range = (topic: string, records: number, deadLetters = 0) => ({
  topic,
  topicId: 'id',
  partition: 0,
  epoch: 0,
  expectedOffset: 0,
  nextOffset: records + deadLetters,
  records,
  deadLetters
})

test('each commit of the sink is told with the rows and dead letters that it put in', async () => {
  const store = new MemoryStore()
  let nowMs = NOON
  const harness = deltaHarness(store, { sink: { clock: { ...systemClock, now: () => nowMs } } })
  const { sink } = harness.process()
  await sink.open()
  const commit = async (from: number, to: number, bad: readonly number[]) => {
    nowMs += 40 * SECOND
    await sink.commit([
      await sink.stage(batchOf(harness.plan, [{ from, to, bad, ...(from === 0 ? { expected: undefined } : {}) }]))
    ])
  }
  await commit(0, 10, [3])
  await commit(10, 12, [])
  const history = deltaHistory(under(store, 'bronze/orders/'), 'bronze.orders', ALL, noNote)
  const first = { committedMs: NOON + 40 * SECOND, version: '1', pipeline: 'test/conformance', topic: 'orders' }
  assert.deepEqual(await collect(history), [
    { ...first, records: 9, deadLetters: 1 },
    { ...first, committedMs: NOON + 80 * SECOND, version: '2', records: 2, deadLetters: 0 }
  ])
  await commit(12, 13, [12])
  assert.deepEqual(await collect(history), [
    { ...first, committedMs: NOON + 120 * SECOND, version: '3', records: 0, deadLetters: 1 }
  ])
  assert.deepEqual(await collect(history), [])
})

test('of a long log only the range is read, and little beside it', async () => {
  const store = await logOf(3_000, 10 * SECOND)
  let reads = 0
  const counting: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
    get: async (path: string) => {
      reads++
      return await store.get(path)
    }
  })
  const sinceMs = NOON + 5 * HOUR
  const history = deltaHistory(counting, 't', { sinceMs, untilMs: sinceMs + 20 * 60_000 }, noNote)
  const entries = await collect(history)
  assert.equal(entries.length, 121)
  assert.deepEqual([entries[0]?.committedMs, entries.at(-1)?.committedMs], [sinceMs, sinceMs + 20 * 60_000])
  // Twenty minutes, ten on each side for clocks that differ, the search, and what was read ahead.
  assert.ok(reads < 121 + 120 + 30 + 16, `${reads} reads`)
})

test('a range that no commit is in is empty, until one comes', async () => {
  const store = await logOf(5, SECOND)
  const history = deltaHistory(store, 't', { sinceMs: NOON + HOUR, untilMs: Infinity }, noNote)
  assert.deepEqual(await collect(history), [])
  await write(store, 5, [ours(NOON + 2 * HOUR)])
  assert.deepEqual(
    (await collect(history)).map(({ version }) => version),
    ['5']
  )
})

test('topics are told apart; entries of others, and without a time, are passed over', async () => {
  const store = new MemoryStore()
  await write(store, 0, [{ commitInfo: { operation: 'CREATE TABLE' } }])
  await write(store, 1, [ours(NOON, [range('orders', 2, 1), range('clicks', 5), range('orders', 3)])])
  await write(store, 2, [{ commitInfo: { timestamp: NOON, operation: 'OPTIMIZE' } }])
  await write(store, 3, [{ txn: { appId: 'a', version: 1 } }])
  await write(store, 4, [ours(NOON - 60_000, [range('orders', 0)])])
  const entries = await collect(deltaHistory(store, 't', { sinceMs: NOON - 60_000, untilMs: NOON }, noNote))
  assert.deepEqual(
    entries.map(({ version, topic, records, deadLetters }) => [version, topic, records, deadLetters]),
    [
      ['1', 'orders', 5, 1],
      ['1', 'clicks', 5, 0],
      ['4', 'orders', 0, 0]
    ]
  )
})

test('a log that was cleaned says where it begins, and a table that is not there says so', async () => {
  const store = await logOf(100, 60_000)
  for (let version = 0; version < 70; version++) await store.delete(entryPath(version))
  const gaps: string[] = []
  const onNote = ({ table, message, isIncomplete }: HistoryNote) =>
    gaps.push(`${table} ${message}${isIncomplete ? ' (incomplete)' : ''}`)
  assert.equal((await collect(deltaHistory(store, 't', ALL, onNote))).length, 30)
  const late = { sinceMs: NOON + 90 * 60_000, untilMs: Infinity }
  assert.equal((await collect(deltaHistory(store, 't', late, onNote))).length, 10)
  assert.deepEqual(await collect(deltaHistory(new MemoryStore(), 'u', ALL, onNote)), [])
  const from = 't has a log from version 70, of 2026-11-21T13:10:00.000Z on'
  assert.deepEqual(gaps, [`${from}: what was committed before is not known any more (incomplete)`, 'u is not there'])
})
