import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../consumer/columns/bronze.ts'
import type { Pending, ValueReader } from '../../consumer/decode/value-reader.ts'
import { silentObserver } from '../../consumer/observer.ts'
import { openDeltaSink } from '../../consumer/sinks/delta/sink.ts'
import type { Sink } from '../../consumer/sink.ts'
import { TableWriter } from '../../consumer/table-writer.ts'
import { RetryableError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { readDeltaRows } from '../fakes/delta-reader.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { MemoryStore } from '../fakes/object-store.ts'
import { pipelineOf } from '../fakes/pipelines.ts'
import { dataBatch } from '../fakes/records.ts'

const SPEC = `batch: {triggerInterval: 1s}
topics: [{name: orders, table: bronze.orders, format: Json, schema: {mode: Inferred}}]`

/** A registry that does not answer: values that begin with `?` wait for it. */
class WaitingReader implements ValueReader {
  readonly fields = []
  readonly schemaVersion = undefined
  readonly #pending: Pending

  constructor(pending: Pending) {
    this.#pending = pending
  }

  check({ bytes, valueStart }: Parameters<ValueReader['check']>[0]): Pending | undefined {
    return bytes[valueStart] === 0x3f ? this.#pending : undefined
  }

  append(): void {}
  value(): undefined {}
}

test('while a registry is down others are committed, the trouble is told once and now and then, and a stop does not wait', async () => {
  const pipeline = pipelineOf(SPEC)
  const [plan] = planTables(pipeline)
  const [entry] = pipeline.topics
  assert.ok(plan !== undefined && entry !== undefined)
  const clock = new ManualClock(1_700_000_000_000)
  const store = new MemoryStore()
  const author = { pipeline: 'lake/shop', createdAt: undefined, consumerId: 'pod-0' }
  const sink = openDeltaSink({ plan, pipeline, store, clock, log: silentLog, author })
  const told: string[] = []
  const reported: (readonly [ids: string, error: string | undefined])[] = []
  const pending = { ready: new Promise<void>(() => {}), trouble: 'RegistryDown' }
  const writer = new TableWriter(plan, pipeline, author, {
    sink,
    clock,
    log: silentLog,
    observer: {
      ...silentObserver,
      sinkFailed: (_, code) => told.push(code),
      sinkWorks: () => told.push('works')
    },
    source: {
      resolveStart: async () => new Map([0, 1].map(partition => [partition, 0])),
      resolveEnds: async () => new Map(),
      logStarts: async () => new Map(),
      reported: async () => new Map()
    },
    readerFor: () => new WaitingReader(pending),
    seek: () => {},
    report: async (slots, _, error) => void reported.push([slots.map(({ id }) => id).join(), error]),
    sendDeadLetters: async () => {}
  })
  const partitions = [0, 1].map(partition => ({ topic: 'orders', topicId: 'id', partition }))
  for (const partition of partitions) writer.assign(partition, entry)
  const pass = async (ms: number) => {
    await clock.advance(ms)
    writer.tick(clock.now())
    await writer.settled()
  }
  await pass(0)
  await pass(0)
  told.length = 0
  const [waiting, other] = partitions.map((partition, index) =>
    dataBatch(partition, 0, [{ value: 'a' }, { value: index === 0 ? '?' : 'b' }])
  )
  assert.ok(waiting !== undefined && other !== undefined)
  writer.append(waiting)
  writer.append(other)
  await pass(1_000)
  await pass(1_000)
  assert.deepEqual(told, ['RegistryDown'])
  assert.deepEqual(
    reported.filter(([, error]) => error !== undefined),
    [['orders-0', 'RegistryDown']]
  )
  assert.deepEqual(await keys(store), ['0-0', '1-0', '1-1'])
  await pass(40_000)
  assert.deepEqual(told, ['RegistryDown', 'RegistryDown'])
  await writer.drain()
  assert.equal(writer.failure, undefined)
  assert.deepEqual(await keys(store, 'dlq_orders'), [], 'what waits is no dead letter')
})

test('a table that can be read and not written is tried less and less often, and works only once it is written', async () => {
  const pipeline = pipelineOf(
    'batch: {triggerInterval: 1s}\ntopics: [{name: orders, table: bronze.orders, format: Raw}]'
  )
  const [plan] = planTables(pipeline)
  const [entry] = pipeline.topics
  assert.ok(plan !== undefined && entry !== undefined)
  const clock = new ManualClock(1_700_000_000_000)
  const author = { pipeline: 'lake/shop', createdAt: undefined, consumerId: 'pod-0' }
  const real = openDeltaSink({ plan, pipeline, store: new MemoryStore(), clock, log: silentLog, author })
  let isDown = true
  let attempts = 0
  const sink: Sink = {
    open: () => real.open(),
    recover: topics => real.recover(topics),
    stage: async batch => {
      if (batch.parts.some(({ rows }) => rows.length > 0)) attempts++
      if (isDown && attempts > 0) throw new RetryableError('StoreDown', 'the disk is full')
      return await real.stage(batch)
    },
    commit: staged => real.commit(staged),
    close: () => real.close()
  }
  const told: string[] = []
  const partition = { topic: 'orders', topicId: 'id', partition: 0 }
  const batch = dataBatch(partition, 0, [{ value: 'a' }])
  const writer: TableWriter = new TableWriter(plan, pipeline, author, {
    sink,
    clock,
    log: silentLog,
    observer: {
      ...silentObserver,
      sinkFailed: (_, code) => told.push(code),
      sinkWorks: () => told.push('works'),
      committed: () => told.push('committed')
    },
    source: {
      resolveStart: async () => new Map([[0, 0]]),
      resolveEnds: async () => new Map(),
      logStarts: async () => new Map(),
      reported: async () => new Map()
    },
    readerFor: () => undefined,
    seek: () => writer.append(batch),
    report: async () => {},
    sendDeadLetters: async () => {}
  })
  writer.assign(partition, entry)
  const pass = async (seconds: number) => {
    for (let tenths = 0; tenths < seconds * 10; tenths++) {
      writer.tick(clock.now())
      await writer.settled()
      await clock.advance(100)
    }
  }
  await pass(300)
  assert.ok(attempts >= 10 && attempts <= 30, `${attempts} attempts in 300 s`)
  assert.deepEqual([...new Set(told)], ['works', 'StoreDown'])
  assert.equal(told.lastIndexOf('works'), 0)
  isDown = false
  await pass(60)
  assert.equal(told.at(-1), 'committed')
  assert.equal(writer.failure, undefined)
})

test('a stop hurries a commit that waits for a cheaper moment, and loses nothing', async () => {
  const pipeline = pipelineOf(
    'batch: {triggerInterval: 1s}\ntopics: [{name: orders, table: bronze.orders, format: Raw}]'
  )
  const [plan] = planTables(pipeline)
  const [entry] = pipeline.topics
  assert.ok(plan !== undefined && entry !== undefined)
  // Of two commits the files have two names.
  const clock = Object.assign(new ManualClock(1_700_000_000_000), { random: Math.random })
  const store = new MemoryStore()
  const author = { pipeline: 'lake/shop', createdAt: undefined, consumerId: 'pod-0' }
  const real = openDeltaSink({ plan, pipeline, store, clock, log: silentLog, author })
  const hurried = Promise.withResolvers<void>()
  const sink: Sink = {
    open: () => real.open(),
    recover: topics => real.recover(topics),
    stage: batch => real.stage(batch),
    commit: async staged => {
      if (staged.some(({ ranges }) => ranges.some(({ records }) => records > 0))) await hurried.promise
      return await real.commit(staged)
    },
    hurry: hurried.resolve,
    close: () => real.close()
  }
  const partition = { topic: 'orders', topicId: 'id', partition: 0 }
  const writer = new TableWriter(plan, pipeline, author, {
    sink,
    clock,
    log: silentLog,
    observer: silentObserver,
    source: {
      resolveStart: async () => new Map([[0, 0]]),
      resolveEnds: async () => new Map(),
      logStarts: async () => new Map(),
      reported: async () => new Map()
    },
    readerFor: () => undefined,
    seek: () => {},
    report: async () => {},
    sendDeadLetters: async () => {}
  })
  writer.assign(partition, entry)
  writer.tick(clock.now())
  await writer.settled()
  writer.append(dataBatch(partition, 0, [{ value: 'a' }]))
  await clock.advance(2_000)
  writer.tick(clock.now())
  writer.append(dataBatch(partition, 1, [{ value: 'b' }]))
  await writer.drain()
  assert.equal(writer.failure, undefined)
  assert.deepEqual(await keys(store), ['0-0', '0-1'])
})

async function keys(store: MemoryStore, table = 'orders'): Promise<readonly string[]> {
  const { rows } = await readDeltaRows(store, `bronze/${table}`)
  return rows.map(row => `${String(row['_kafka_partition'])}-${String(row['_kafka_offset'])}`).sort()
}
