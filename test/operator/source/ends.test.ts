import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeReport, type ReportedEnd } from '../../../crds/report.ts'
import type { EndAt } from '../../../crds/settled.ts'
import { endedOffsets, isComplete } from '../../../operator/source/ends.ts'
import type { PartitionOffsets } from '../../../operator/source/partition-offsets.ts'
import { aSettled, NOW } from '../given.ts'

const TOPICS = new Map([['orders', ['orders']]])
const OFFSETS: EndAt = { position: 'Offsets', offsets: new Map([[0, 100]]) }
const TIME: EndAt = { position: 'Timestamp', timestampMs: NOW, partitions: undefined }
const CREATED = '2026-06-01T11:00:00Z'

function pipelineOf(endAt: EndAt | undefined) {
  const [topic] = aSettled().topics
  assert.ok(topic)
  return { topics: [{ ...topic, ...(endAt === undefined ? {} : { endAt }) }], createdAt: CREATED }
}

const at = (committed: number | undefined, end: ReportedEnd | undefined, partition = 0): PartitionOffsets => ({
  topic: 'orders',
  partition,
  committed,
  metadata: encodeReport({
    committedAtMs: NOW,
    version: '1',
    recordTimestampMs: 0,
    deadLetters: 0,
    ...(end === undefined ? {} : { end })
  }),
  logStart: 0,
  lastStable: 500
})

const table: readonly [string, EndAt | undefined, readonly PartitionOffsets[], boolean | undefined][] = [
  ['no end is never complete', undefined, [at(500, undefined)], undefined],
  ['at its offset', OFFSETS, [at(100, { offset: 100, atMs: NOW })], true],
  ['below its offset', OFFSETS, [at(99, { offset: 100, atMs: NOW })], false],
  ['nobody has said where it ends', OFFSETS, [at(100, undefined)], false],
  ['nothing is committed', OFFSETS, [at(undefined, { offset: 100, atMs: NOW })], false],
  ['the report is of another offset that was asked for before', OFFSETS, [at(100, { offset: 50, atMs: NOW })], false],
  ['the report is of an earlier pipeline', OFFSETS, [at(100, { offset: 100, atMs: Date.parse(CREATED) - 1 })], false],
  ['a partition that is not to be read', OFFSETS, [at(7, { offset: 0, atMs: NOW }, 1)], true],
  ['one of two is not there yet', OFFSETS, [at(100, { offset: 100, atMs: NOW }), at(7, undefined, 1)], false],
  ['at the offset of its time', TIME, [at(40, { offset: 40, timestampMs: NOW, atMs: NOW })], true],
  ['at the offset of another time', TIME, [at(40, { offset: 40, timestampMs: NOW - 1, atMs: NOW })], false],
  [
    'a partition that was not to be read before and is now',
    { ...TIME, partitions: [0, 1] },
    [at(0, { offset: 0, atMs: NOW }, 1)],
    false
  ],
  ['no partition is known', OFFSETS, [], false]
]
for (const [name, endAt, offsets, expected] of table) {
  test(`complete: ${name}`, () => assert.equal(isComplete(pipelineOf(endAt), TOPICS, offsets), expected))
}

test('a topic that is not there is not complete', () => {
  assert.equal(isComplete(pipelineOf(OFFSETS), new Map([['orders', []]]), []), false)
})

test('what lies beyond the end is not missing; what an old report says changes nothing', () => {
  const ends = (offsets: PartitionOffsets) => endedOffsets(pipelineOf(OFFSETS), TOPICS, [offsets])[0]?.lastStable
  assert.equal(ends(at(40, { offset: 100, atMs: NOW })), 100)
  assert.equal(ends(at(40, { offset: 50, atMs: NOW })), 500)
  assert.equal(ends(at(40, undefined)), 500)
  assert.equal(ends({ ...at(40, { offset: 100, atMs: NOW }), lastStable: 80 }), 80)
  // Reading began beyond the end.
  assert.equal(ends(at(200, { offset: 100, atMs: NOW })), 200)
})
