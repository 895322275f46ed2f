import type { ObjectStore } from '../../consumer/store/object-store.ts'
import { openDeltaSink, type DeltaSinkOptions } from '../../consumer/sinks/delta/sink.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { plannedTable } from '../conformance/batches.ts'
import type { SinkHarness } from '../conformance/sink-context.ts'
import { readDeltaRows } from './delta-reader.ts'
import { FaultyStore } from './faulty-store.ts'

export interface DeltaHarnessOptions {
  readonly partitionBy?: 'None' | 'Date' | 'Hour'
  readonly close?: () => Promise<void>
  /** A client of its own for each process; default: all share `store`. */
  readonly connect?: () => ObjectStore
  readonly sink?: Partial<DeltaSinkOptions>
}

/** A clock whose back-off takes no time. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: async () => await new Promise(resolve => setImmediate(resolve))
}

/** Delta tables in any store, as the conformance suite wants them. */
export function deltaHarness(store: ObjectStore, options: DeltaHarnessOptions = {}): SinkHarness {
  const { partitionBy = 'Date', connect = () => store, close } = options
  const sink = `{delta: {location: "file:///conformance", partitionBy: ${partitionBy}}}`
  const { pipeline, plan } = plannedTable(sink)
  let nextConsumer = 0
  const keysIn = async (folder: string): Promise<readonly string[]> => {
    const { rows } = await readDeltaRows(store, folder)
    return rows.map(row => `${String(row['_kafka_partition'])}-${String(row['_kafka_offset'])}`).sort()
  }
  return {
    kind: 'delta',
    plan,
    widerPlan: plannedTable(sink, { wider: true }).plan,
    process: ({ plan: wanted = plan, pipeline: name = 'test/conformance' } = {}) => {
      const faulty = new FaultyStore(connect())
      const author = { pipeline: name, createdAt: undefined, consumerId: `consumer-${nextConsumer++}` }
      const base = {
        plan: wanted,
        pipeline,
        store: faulty,
        clock: hastyClock,
        log: silentLog,
        author,
        commitAttempts: 12
      }
      return {
        sink: openDeltaSink({ ...base, ...options.sink }),
        onOperation: fault => {
          faulty.fault = fault
        },
        settle: async () => await faulty.settle(),
        isCommit: ({ kind, path }) => kind === 'putIfAbsent' && path.includes('/_delta_log/')
      }
    },
    rows: async () => await keysIn('bronze/orders'),
    deadLetters: async () => await keysIn('bronze/dlq_orders'),
    close: async () => await close?.()
  }
}
