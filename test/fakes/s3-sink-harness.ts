import { openS3Sink, type S3SinkOptions } from '../../consumer/sinks/s3/sink.ts'
import type { ObjectStore } from '../../consumer/store/object-store.ts'
import { Gate } from '../../lib/gate.ts'
import { silentLog } from '../../lib/log.ts'
import { plannedTable } from '../conformance/batches.ts'
import type { SinkHarness } from '../conformance/sink-context.ts'
import { hastyClock } from './delta-harness.ts'
import { FaultyStore } from './faulty-store.ts'
import { readByGlob, readCommitted } from './s3-sink-reader.ts'

/** Of `spec.sink.s3` in the manifest, beside its location. */
export type S3Settings = Readonly<Partial<Record<'format' | 'compression' | 'layout' | 'path' | 'pathTime', string>>>

export interface S3HarnessOptions {
  readonly settings?: S3Settings
  readonly close?: () => Promise<void>
  readonly sink?: Partial<S3SinkOptions>
}

/** The plan of a table as objects. */
export function plannedObjectTable(settings: S3Settings = {}, options: { readonly wider?: boolean } = {}) {
  const { pipeline, plan } = plannedTable(
    JSON.stringify({ s3: { location: 'file:///conformance', ...settings } }),
    options
  )
  const { sink } = pipeline
  if (sink.kind !== 's3') throw new Error(`the sink is ${sink.kind}`)
  return { pipeline, plan, s3: sink.s3 }
}

/** Tables as objects in any store, as the conformance suite wants them. */
export function s3Harness(store: ObjectStore, { settings, close, sink }: S3HarnessOptions = {}): SinkHarness {
  const { pipeline, plan, s3 } = plannedObjectTable(settings)
  let nextConsumer = 0
  const isGlob = s3.layout === 'Glob'
  const keysOf = (rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] =>
    rows.map(row => `${String(row['_kafka_partition'])}-${String(row['_kafka_offset'])}`).sort()
  return {
    kind: 's3',
    plan,
    isOneStep: !isGlob,
    widerPlan: plannedObjectTable(settings, { wider: true }).plan,
    process: ({ plan: wanted = plan, pipeline: name = 'test/conformance' } = {}) => {
      const faulty = new FaultyStore(store)
      const author = { pipeline: name, createdAt: undefined, consumerId: `consumer-${nextConsumer++}` }
      const ports = { store: faulty, clock: hastyClock, log: silentLog, author, commitAttempts: 12 }
      return {
        sink: openS3Sink({ plan: wanted, pipeline, sink: s3, lines: new Gate(2), ...ports, ...sink }),
        onOperation: fault => {
          faulty.fault = fault
        },
        settle: async () => await faulty.settle(),
        isCommit: ({ kind, path }) => kind === 'copy' || (kind === 'putIfAbsent' && path.includes('/commits/'))
      }
    },
    rows: async () =>
      keysOf(isGlob ? await readByGlob(store, plan.table) : (await readCommitted(store, plan.table)).rows),
    deadLetters: async () => {
      const table = plan.deadLetterTable ?? ''
      if (isGlob) return keysOf(await readByGlob(store, table))
      return keysOf((await readCommitted(store, plan.table)).deadLetters.get(table) ?? [])
    },
    close: async () => await close?.()
  }
}
