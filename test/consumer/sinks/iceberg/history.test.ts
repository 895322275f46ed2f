import assert from 'node:assert/strict'
import { test } from 'node:test'
import { icebergHistory } from '../../../../consumer/sinks/iceberg/history.ts'
import { snapshotHistory } from '../../../../consumer/sinks/iceberg/snapshot-history.ts'
import type { HistoryNote, TableHistory } from '../../../../consumer/sinks/history.ts'
import { systemClock } from '../../../../lib/clock.ts'
import { batchOf } from '../../../conformance/batches.ts'
import { MemoryCatalog } from '../../../fakes/iceberg-catalog.ts'
import { icebergHarness } from '../../../fakes/iceberg-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { Lineage } from './lineage.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ALL = { sinceMs: 0, untilMs: Infinity }

const noNote = ({ message }: HistoryNote) => assert.fail(message)
const collect = async (history: TableHistory) => await Array.fromAsync(history.read())

/** A table whose sink commits at the times it is told. */
async function table() {
  let nowMs = NOON
  const catalog = new MemoryCatalog({ nowMs: () => nowMs })
  const store = new MemoryStore()
  const clock = { ...systemClock, now: () => nowMs }
  const harness = icebergHarness(catalog, async () => store, { sink: { clock } })
  const { sink } = harness.process()
  await sink.open()
  let next = 0
  return {
    catalog,
    commit: async (atMs: number, records: number, deadLetters = 0) => {
      nowMs = atMs
      const [from, to] = [next, next + records + deadLetters]
      const bad = Array.from({ length: deadLetters }, (_, index) => from + index)
      const expected = from === 0 ? { expected: undefined } : {}
      await sink.commit([await sink.stage(batchOf(harness.plan, [{ from, to, bad, ...expected }]))])
      next = to
    }
  }
}

test('each commit is told with its rows and dead letters, and later ones when they come', async () => {
  const { catalog, commit } = await table()
  await commit(NOON, 9, 1)
  await commit(NOON + MINUTE, 2)
  const history = icebergHistory(catalog, 'bronze.orders', ALL, noNote)
  const told = async () =>
    (await collect(history)).map(({ version, ...rest }) => ({ ...rest, hasVersion: /^\d+$/.test(version) }))
  const base = { pipeline: 'test/conformance', topic: 'orders', commits: 1, hasVersion: true }
  assert.deepEqual(await told(), [
    { ...base, committedMs: NOON, records: 9, deadLetters: 1 },
    { ...base, committedMs: NOON + MINUTE, records: 2, deadLetters: 0 }
  ])
  assert.deepEqual(await told(), [])
  await commit(NOON + 2 * MINUTE, 0, 3)
  assert.deepEqual(await told(), [{ ...base, committedMs: NOON + 2 * MINUTE, records: 0, deadLetters: 3 }])
})

test('what thinning merged is told with its span, and nothing is lost: the sums are right', async () => {
  const { catalog, commit } = await table()
  let [records, deadLetters, commits] = [0, 0, 0]
  for (let atMs = NOON; atMs < NOON + 4 * HOUR; atMs += 5 * MINUTE) {
    const [good, bad] = [(commits % 7) + 1, commits % 3]
    await commit(atMs, good, bad)
    records += good
    deadLetters += bad
    commits++
  }
  const gaps: string[] = []
  const entries = await collect(icebergHistory(catalog, 'bronze.orders', ALL, ({ message }) => gaps.push(message)))
  // The hours before the last begin with the end of the hour before: the very first snapshot went with its hour.
  assert.match(gaps.join('\n'), /expired its snapshots of before .*T12:55/)
  assert.match(gaps.join('\n'), /thinned out/)
  const sum = (of: (entry: (typeof entries)[number]) => number) => entries.reduce((total, each) => total + of(each), 0)
  const firstHour = Array.from({ length: 12 }, (_, index) => index)
  assert.equal(
    sum(({ records = NaN }) => records),
    records - firstHour.reduce((total, index) => total + (index % 7) + 1, 0)
  )
  assert.equal(
    sum(({ deadLetters = NaN }) => deadLetters),
    deadLetters - firstHour.reduce((total, index) => total + (index % 3), 0)
  )
  assert.equal(
    sum(({ commits }) => Number(commits)),
    commits - 12
  )
  const [merged, ...rest] = entries
  assert.deepEqual([merged?.fromMs, merged?.committedMs], [NOON + 55 * MINUTE, NOON + HOUR + 55 * MINUTE])
  assert.equal(rest.filter(({ fromMs }) => fromMs !== undefined).length, 1)
  const late = { sinceMs: NOON + 3 * HOUR, untilMs: NOON + 3 * HOUR + 10 * MINUTE }
  const told = await collect(icebergHistory(catalog, 'bronze.orders', late, noNote))
  assert.deepEqual(
    told.map(({ committedMs, commits }) => [committedMs, commits]),
    [0, 5, 10].map(minutes => [late.sinceMs + minutes * MINUTE, 1])
  )
})

const ours = (records: string) => ({ 'added-records': records })
const brief = (lineage: Lineage) =>
  snapshotHistory(lineage.metadata).entries.map(({ records, deadLetters, atMost, commits, fromMs }) => ({
    records,
    deadLetters,
    atMost,
    commits,
    isMerged: fromMs !== undefined
  }))

test('commits of versions that did not count: rows where one topic moved, else at most as far as offsets moved', () => {
  const lineage = new Lineage()
  lineage.ours(10, ours('9'))
  lineage.ours(30, ours('20'))
  const gone = lineage.ours(70, ours('40'))
  lineage.ours(100, ours('30'))
  lineage.expire(gone)
  const one = { deadLetters: undefined, commits: 1, isMerged: false }
  assert.deepEqual(brief(lineage), [
    { ...one, records: 9, atMost: 10 },
    { ...one, records: 20, atMost: 20 },
    { records: undefined, deadLetters: undefined, atMost: 70, commits: 'unknown', isMerged: true }
  ])
})

test('counts that begin, or begin anew, in the middle are facts from the next commit on', () => {
  const lineage = new Lineage()
  const counted = (next: number, counts: string) => lineage.ours(next, { 'bronze.counts': `orders=${counts}` })
  lineage.ours(10)
  counted(15, '4/1/1')
  const gone = counted(20, '8/2/2')
  counted(25, '13/2/3')
  lineage.ours(35)
  counted(40, '5/0/1')
  lineage.expire(gone)
  assert.deepEqual(
    brief(lineage).map(({ records, deadLetters, commits }) => [records, deadLetters, commits]),
    [
      [undefined, undefined, 1],
      [4, 1, 1],
      [9, 1, 2],
      [undefined, undefined, 1],
      [5, 0, 1]
    ]
  )
})

test('a commit that was rolled back is not told, also when the chain to it is broken', () => {
  const lineage = new Lineage()
  const counted = (next: number, counts: string) => lineage.ours(next, { 'bronze.counts': `orders=${counts}` })
  const first = counted(10, '10/0/1')
  counted(50, '50/0/2')
  lineage.set(first)
  const gone = counted(20, '20/0/2')
  counted(30, '30/0/3')
  const told = () => brief(lineage).map(({ records, isMerged }) => [records, isMerged])
  assert.deepEqual(told(), [
    [10, false],
    [10, false],
    [10, false]
  ])
  lineage.expire(gone)
  assert.deepEqual(told(), [
    [10, false],
    [20, true]
  ])
})

test('compactions of others stand between commits of ours and change nothing; an empty table has no past', async () => {
  const lineage = new Lineage()
  assert.deepEqual(brief(lineage), [])
  lineage.others('append')
  lineage.ours(10, { 'bronze.counts': 'orders=10/0/1' })
  lineage.others('replace')
  lineage.ours(12, { 'bronze.counts': 'orders=12/0/2' })
  assert.deepEqual(
    brief(lineage).map(({ records, isMerged }) => [records, isMerged]),
    [
      [10, false],
      [2, false]
    ]
  )
  const gaps: string[] = []
  const missing = icebergHistory({ loadTable: async () => undefined }, 't', ALL, ({ message }) => gaps.push(message))
  assert.deepEqual([await collect(missing), await collect(missing), gaps], [[], [], ['is not there']])
})
