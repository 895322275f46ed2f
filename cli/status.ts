import type { SettledPipeline } from '../crds/settled.ts'
import type { LagSample } from './lag.ts'
import type { ConsumerStatus } from './supervisor.ts'

/** What a run knows of its pipeline at one moment. Undefined is unknown, which is never 0. */
export interface RunStatus {
  readonly atMs: number
  readonly startedMs: number
  readonly name: string
  readonly sink: string
  /** Why it is not ready; undefined when it is. */
  readonly trouble: string | undefined
  readonly consumers: readonly ConsumerStatus[]
  /** Consumers that are members of the group. */
  readonly readyConsumers: number
  readonly partitions: number | undefined
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly deadLetters: number | undefined
  readonly topics: readonly TopicStatus[]
  readonly progress: Progress | undefined
}

/** One entry of `spec.topics`. */
export interface TopicStatus {
  /** The topic, or the entry's name when it is not exactly one. */
  readonly topic: string
  readonly table: string
  readonly partitions: number
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly deadLetters: number | undefined
  /** Code of the trouble that the table has now. */
  readonly sinkError: string | undefined
}

/** How far the catching up has come. */
export interface Progress {
  /** In [0, 1]. */
  readonly fraction: number
  readonly toGo: number
  readonly recordsPerSecond: number | undefined
}

/** Something that happened, for people and machines. */
export interface RunEvent {
  readonly atMs: number
  readonly level: 'info' | 'warning' | 'error'
  /** CamelCase, stable. */
  readonly reason: string
  readonly message: string
  readonly consumer?: string
  readonly fields?: Readonly<Record<string, string | number | null | readonly string[]>>
}

export interface RunEnd {
  readonly atMs: number
  readonly outcome: 'CaughtUp' | 'Completed' | 'Stopped' | 'Refused' | 'Killed' | 'Failed'
  readonly exitCode: number
  readonly message: string
}

export interface Seen {
  readonly pipeline: SettledPipeline
  readonly startedMs: number
  readonly atMs: number
  /** Undefined while Kafka does not answer. */
  readonly sample: LagSample | undefined
  readonly sourceTrouble: string | undefined
  readonly consumers: readonly ConsumerStatus[]
  readonly readyConsumers: number
  readonly progress: Progress | undefined
}

export function runStatus(seen: Seen): RunStatus {
  const { pipeline, startedMs, atMs, sample, consumers, readyConsumers, progress } = seen
  const { partitions, lag, behindSeconds, deadLetters } = sample?.lag ?? {}
  return {
    atMs,
    startedMs,
    name: pipeline.name,
    sink: SINKS[pipeline.sink.kind],
    trouble: troubleOf(seen),
    consumers,
    readyConsumers,
    partitions,
    lag,
    behindSeconds,
    deadLetters,
    topics: (sample?.lag.entries ?? []).map(({ name, topics, ...figures }) => ({
      topic: topics.length === 1 ? (topics[0] ?? name) : name,
      table: figures.table,
      partitions: figures.partitions,
      lag: figures.lag,
      behindSeconds: figures.behindSeconds,
      deadLetters: figures.deadLetters,
      sinkError: figures.sinkError
    })),
    progress
  }
}

/** As people name them. */
const SINKS = { delta: 'Delta', iceberg: 'Iceberg', snowflake: 'Snowflake', s3: 'S3' } as const satisfies Record<
  SettledPipeline['sink']['kind'],
  string
>

/** In the order of the Ready condition: source, sink, workload. */
function troubleOf({ pipeline, sample, sourceTrouble, consumers, readyConsumers }: Seen): string | undefined {
  if (sourceTrouble !== undefined) return sourceTrouble
  if (sample === undefined) return 'asking Kafka'
  const { entries } = sample.lag
  const named = pipeline.topics.filter(({ match }) => 'topic' in match).map(({ name }) => name)
  const missing = entries.filter(({ name, partitions }) => partitions === 0 && named.includes(name))
  if (missing.length > 0) return `no such topic yet: ${missing.map(({ name }) => name).join(', ')}`
  const failing = entries.find(({ sinkError }) => sinkError !== undefined)
  if (failing !== undefined) return `table ${failing.table} cannot be written: ${failing.sinkError ?? ''}`
  if (consumers.length > 0 && consumers.every(({ state }) => state === 'Stopped')) return 'stopped'
  if (readyConsumers < consumers.length) return 'consumers are starting'
  return consumers.length === 0 ? 'no consumers' : undefined
}
