import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWell, pipelineStatus, statusJson, statusText } from '../../cli/pipeline-status.ts'
import { encodeReport } from '../../crds/report.ts'
import { pipelineLag } from '../../operator/source/lag.ts'
import type { PartitionOffsets } from '../../operator/source/partition-offsets.ts'
import { pipelineOf } from '../fakes/pipelines.ts'

const NOW_MS = 1_700_000_000_000
const SPEC = 'topics: [{name: trips, topic: taxi.trips, table: bronze.trips, batch: {triggerInterval: 10s}}]'

interface Partition {
  readonly committed?: number
  readonly end: number
  readonly committedAgoMs?: number
  readonly sinkError?: string
}

function statusOf(partitions: readonly Partition[], { spec = SPEC, consumers = 1, topics = ['taxi.trips'] } = {}) {
  const pipeline = pipelineOf(spec)
  const offsets = partitions.map(({ committed, end, committedAgoMs = 0, sinkError }, partition): PartitionOffsets => ({
    topic: 'taxi.trips',
    partition,
    committed,
    logStart: 0,
    lastStable: end,
    metadata:
      committed === undefined
        ? ''
        : encodeReport({
            committedAtMs: NOW_MS - committedAgoMs,
            version: '7',
            recordTimestampMs: NOW_MS - 5000,
            deadLetters: 2,
            ...(sinkError === undefined ? {} : { sinkError })
          })
  }))
  const lag = pipelineLag(pipeline, new Map([['trips', topics]]), offsets, NOW_MS, new Map())
  return pipelineStatus(pipeline, NOW_MS, { sample: { lag, offsets }, consumers, trouble: undefined })
}

const HOUR_MS = 3_600_000

test('the state of an entry is what its group tells, and decides whether all is well', () => {
  const behind = { committed: 5, end: 8 }
  const cases = [
    ['CaughtUp', true, statusOf([{ committed: 8, end: 8, committedAgoMs: HOUR_MS }], { consumers: 0 })],
    ['Flowing', true, statusOf([{ ...behind, committedAgoMs: 20_000 }])],
    ['Flowing', true, statusOf([{ ...behind, committedAgoMs: 2 * HOUR_MS }], { spec: SPEC.replace('10s', '1h') })],
    ['Stalled', false, statusOf([{ ...behind, committedAgoMs: HOUR_MS }])],
    ['Stopped', false, statusOf([behind], { consumers: 0 })],
    ['Unknown', false, statusOf([{ end: 8 }])],
    ['SinkFailing', false, statusOf([{ ...behind, sinkError: 'S3Unavailable' }])],
    ['TopicMissing', false, statusOf([], { topics: [] })],
    ['Suspended', true, statusOf([behind], { spec: `${SPEC}\nsuspend: true`, consumers: 0 })]
  ] as const
  for (const [state, well, status] of cases) {
    assert.deepEqual([status.entries[0]?.state, isWell(status)], [state, well])
  }
})

test('text shows a block per pipeline, with ? for what is unknown', () => {
  assert.equal(
    statusText([statusOf([{ committed: 5, end: 8, committedAgoMs: 20_000 }]), statusOf([{ end: 8 }])]),
    `lake/shop   group bronze.lake.shop   1 consumer
TOPIC        TABLE          STATE     PARTS   LAG   BEHIND   COMMIT    VERSION   DLQ
taxi.trips   bronze.trips   Flowing   1       3     5s       20s ago   7         2

lake/shop   group bronze.lake.shop   1 consumer
TOPIC        TABLE          STATE     PARTS   LAG   BEHIND   COMMIT   VERSION   DLQ
taxi.trips   bronze.trips   Unknown   1       ?     ?        ?        ?         ?
`
  )
})

test('trouble with the sink takes the place of the state, trouble with Kafka that of the table', () => {
  assert.match(statusText([statusOf([{ committed: 5, end: 8, sinkError: 'S3Unavailable' }])]), /S3Unavailable +1 +3/)
  const away = pipelineStatus(pipelineOf(SPEC), NOW_MS, {
    sample: undefined,
    consumers: undefined,
    trouble: 'SourceUnreachable: no broker answers'
  })
  assert.equal(isWell(away), false)
  assert.match(statusText([away]), /\? consumers\nnot known: SourceUnreachable: no broker answers\n$/)
})

test('JSON has a null for every unknown figure', () => {
  assert.deepEqual(statusJson(statusOf([{ end: 8 }])), {
    time: '2023-11-14T22:13:20.000Z',
    pipeline: 'lake/shop',
    groupId: 'bronze.lake.shop',
    well: false,
    trouble: null,
    consumers: 1,
    topics: [
      {
        name: 'trips',
        topics: ['taxi.trips'],
        table: 'bronze.trips',
        state: 'Unknown',
        partitions: 1,
        lag: null,
        behindSeconds: null,
        lastCommitTime: null,
        version: null,
        deadLetters: null,
        sinkError: null
      }
    ]
  })
})
