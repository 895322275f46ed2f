import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../../consumer/columns/bronze.ts'
import { openS3Sink } from '../../../../consumer/sinks/s3/sink.ts'
import { Gate } from '../../../../lib/gate.ts'
import { silentLog } from '../../../../lib/log.ts'
import { decode, PARTITION } from '../../../fakes/decoded.ts'
import { hastyClock } from '../../../fakes/delta-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { pipelineOf } from '../../../fakes/pipelines.ts'
import { dataBatch } from '../../../fakes/records.ts'
import { readCommitted } from '../../../fakes/s3-sink-reader.ts'

const SPEC = `
sink: {s3: {location: "file:///l", path: "topic={topic}/dt={yyyy}-{MM}-{dd}/hh={HH}", pathTime: Timestamp}}
topics: [{name: orders, table: bronze.orders, format: Json}]
`
const TAKEN_AT_MS = Date.UTC(2026, 10, 21, 12)

test('with pathTime Timestamp each record lies in the folder of its own hour, and one commit has them all', async () => {
  const times = [Date.UTC(2026, 0, 31, 23, 59), Date.UTC(2026, 1, 1, 0, 1), Date.UTC(2026, 0, 31, 23, 1), -1]
  const records = times.map((timestampMs, index) => ({ value: `{"n": ${index}}`, timestampMs }))
  const bad = { value: '{', timestampMs: times[0] ?? 0 }
  const { buffer } = await decode([dataBatch(PARTITION, 0, [...records, bad])], { spec: SPEC })
  const store = new MemoryStore()
  const pipeline = pipelineOf(SPEC)
  const [plan] = planTables(pipeline)
  assert.ok(plan !== undefined && pipeline.sink.kind === 's3')
  const author = { pipeline: 'test/hours', createdAt: undefined, consumerId: 'hours-0' }
  const sink = openS3Sink({
    plan,
    pipeline,
    lines: new Gate(2),
    sink: pipeline.sink.s3,
    store,
    clock: hastyClock,
    log: silentLog,
    author
  })
  await sink.open()
  const { rows, deadLetters } = buffer
  const part = { partition: PARTITION, epoch: 0, expectedOffset: undefined, nextOffset: 5, rows, deadLetters }
  const staged = await sink.stage({ commitId: 'c', takenAtMs: TAKEN_AT_MS, parts: [part] })
  assert.equal((await sink.commit([staged])).status, 'committed')
  const folders = [...store.objects.keys()].flatMap(path => /bronze\/(.*)\/[^/]*\.parquet$/.exec(path)?.[1] ?? [])
  assert.deepEqual(folders.sort(), [
    'dlq_orders/topic=orders/dt=2026-11-21/hh=12',
    'orders/topic=orders/dt=2026-01-31/hh=23',
    'orders/topic=orders/dt=2026-02-01/hh=00',
    'orders/topic=orders/dt=__HIVE_DEFAULT_PARTITION__/hh=__HIVE_DEFAULT_PARTITION__'
  ])
  const read = await readCommitted(store, 'bronze.orders')
  assert.equal(read.commits, 1)
  assert.deepEqual(new Set(read.rows.map(row => row['_kafka_offset'])), new Set([0, 1, 2, 3]))
})
