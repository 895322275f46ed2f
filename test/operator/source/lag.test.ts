import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeReport } from '../../../crds/report.ts'
import type { Arrivals } from '../../../operator/source/arrivals.ts'
import { partitionLag, pipelineLag } from '../../../operator/source/lag.ts'
import type { PartitionOffsets } from '../../../operator/source/partition-offsets.ts'
import { aSettled, NOW } from '../given.ts'

const at = (change: Partial<PartitionOffsets>): PartitionOffsets => ({
  topic: 'orders',
  partition: 0,
  committed: 0,
  metadata: '',
  logStart: 0,
  lastStable: 0,
  ...change
})

const report = (recordTimestampMs: number, more: object = {}) =>
  encodeReport({ committedAtMs: NOW - 500, version: '4', recordTimestampMs, deadLetters: 2, ...more })

const lagTable: readonly [string, Partial<PartitionOffsets>, number | undefined][] = [
  ['all read', { committed: 10, lastStable: 10 }, 0],
  ['some to read', { committed: 4, lastStable: 10 }, 6],
  ['what retention deleted does not count', { committed: 4, logStart: 8, lastStable: 10 }, 2],
  ['without a commit it is unknown, not the whole topic', { committed: undefined, lastStable: 10 }, undefined],
  ['an empty partition has none, commit or not', { committed: undefined, logStart: 0, lastStable: 0 }, 0],
  ['a partition emptied by retention has none', { committed: 3, logStart: 9, lastStable: 9 }, 0],
  ['a commit beyond the end means another topic: unknown', { committed: 12, lastStable: 10 }, undefined],
  ['a commit beyond the end of an empty partition: unknown', { committed: 12 }, undefined],
  ['a broker that is away: unknown', { committed: 4, lastStable: undefined }, undefined],
  ['no log start: unknown', { committed: 4, logStart: undefined, lastStable: 10 }, undefined]
]
for (const [name, offsets, expected] of lagTable) {
  test(`lag: ${name}`, () => assert.equal(partitionLag(at(offsets), NOW, new Map()).lag, expected))
}

test('a partition is as far behind as its newest record in the table is old', () => {
  const behind = partitionLag(at({ committed: 4, lastStable: 10, metadata: report(NOW - 90_000) }), NOW, new Map())
  assert.equal(behind.behindSeconds, 90)
})

test('a quiet topic is not behind by its silence: what came, came after nothing was missing', () => {
  const caughtUp: Arrivals = new Map()
  const metadata = report(NOW - 3_600_000)
  partitionLag(at({ committed: 4, lastStable: 4, metadata }), NOW - 20_000, caughtUp)
  assert.equal(partitionLag(at({ committed: 4, lastStable: 5, metadata }), NOW, caughtUp).behindSeconds, 20)
})

test('how far behind is unknown when nobody said how new the table is', () => {
  assert.equal(partitionLag(at({ committed: 4, lastStable: 10 }), NOW, new Map()).behindSeconds, undefined)
})

test('one unknown partition makes the sum unknown', () => {
  const offsets = [at({ committed: 1, lastStable: 5 }), at({ partition: 1, committed: undefined, lastStable: 5 })]
  const lag = pipelineLag(aSettled(), new Map([['orders', ['orders']]]), offsets, NOW, new Map())
  assert.equal(lag.lag, undefined)
  assert.equal(lag.partitions, 2)
  assert.equal(lag.unknownPartitions, 1)
})

test('reports add up to dead letters, the newest commit, sink trouble and losses of the entry', () => {
  const offsets = [
    at({ committed: 5, lastStable: 5, metadata: report(NOW - 1000) }),
    at({
      partition: 1,
      committed: 5,
      lastStable: 5,
      metadata: report(NOW, {
        committedAtMs: NOW - 100,
        version: '5',
        sinkError: 'S3Unavailable',
        dataLoss: { kind: 'Truncated', atMs: NOW - 9 }
      })
    })
  ]
  const lag = pipelineLag(aSettled(), new Map([['orders', ['orders']]]), offsets, NOW, new Map())
  const [entry] = lag.entries
  assert.equal(lag.deadLetters, 4)
  assert.equal(entry?.committed, 10)
  assert.deepEqual(entry?.lastCommit, { atMs: NOW - 100, version: '5' })
  assert.equal(entry?.sinkError, 'S3Unavailable')
  assert.deepEqual(entry?.dataLoss, { topic: 'orders', kind: 'Truncated', atMs: NOW - 9 })
})

test('an entry whose topic does not exist has an unknown lag; a pattern without topics has none', () => {
  const none = new Map([['orders', []]])
  const named = pipelineLag(aSettled(), none, [], NOW, new Map())
  assert.equal(named.entries[0]?.missing, 'orders')
  assert.equal(named.lag, undefined)
  const pattern = aSettled({ topics: [{ name: 'orders', pattern: 'orders[.].+', table: 't', format: 'Raw' }] })
  assert.equal(pipelineLag(pattern, none, [], NOW, new Map()).lag, 0)
})

test('metadata of other tools is no report', () => {
  assert.equal(partitionLag(at({ committed: 1, lastStable: 1, metadata: 'by hand' }), NOW, new Map()).report, undefined)
})
