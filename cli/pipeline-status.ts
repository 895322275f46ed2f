import type { SettledPipeline } from '../crds/settled.ts'
import { shortCount, shortSeconds, UNKNOWN } from '../lib/figures.ts'
import type { EntryLag } from '../operator/source/lag.ts'
import type { LagSample } from './lag.ts'
import { columns } from './table.ts'

/**
 * CaughtUp: nothing is missing. Flowing: behind, and the table took a commit lately. Suspended is as good. The others are
 * trouble. Stopped: behind, and the group has no members. Stalled: behind, and no commit for long. Unknown: nobody has told
 * the group yet.
 */
export type EntryState =
  | 'CaughtUp'
  | 'Flowing'
  | 'Suspended'
  | 'Stopped'
  | 'Stalled'
  | 'SinkFailing'
  | 'TopicMissing'
  | 'Unknown'

/** What the group tells of one entry of `spec.topics`. Undefined is unknown, which is never 0. */
export interface EntryStatus {
  readonly name: string
  readonly topics: readonly string[]
  readonly table: string
  readonly state: EntryState
  readonly partitions: number
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly lastCommit: EntryLag['lastCommit']
  readonly deadLetters: number | undefined
  readonly sinkError: string | undefined
}

export interface PipelineStatus {
  readonly atMs: number
  /** `namespace/name` */
  readonly pipeline: string
  readonly groupId: string
  /** Why Kafka could not be asked; then there are no entries. */
  readonly trouble: string | undefined
  /** Members of the group. */
  readonly consumers: number | undefined
  readonly entries: readonly EntryStatus[]
}

/** What was learned of a pipeline at one moment. */
export interface Learned {
  readonly sample: LagSample | undefined
  readonly consumers: number | undefined
  readonly trouble: string | undefined
}

/** Behind and without a commit for longer is stalled; consumers may just be starting, or backing off once. */
const STALLED_AFTER_MS = 5 * 60_000

export function pipelineStatus(pipeline: SettledPipeline, atMs: number, learned: Learned): PipelineStatus {
  const { sample, consumers, trouble } = learned
  return {
    atMs,
    pipeline: `${pipeline.namespace}/${pipeline.name}`,
    groupId: pipeline.source.groupId,
    trouble,
    consumers,
    entries: (sample?.lag.entries ?? []).map(entry => ({
      name: entry.name,
      topics: entry.topics,
      table: entry.table,
      state: stateOf(pipeline, entry, consumers, atMs),
      partitions: entry.partitions,
      lag: entry.lag,
      behindSeconds: entry.behindSeconds,
      lastCommit: entry.lastCommit,
      deadLetters: entry.deadLetters,
      sinkError: entry.sinkError
    }))
  }
}

function stateOf(
  { suspend, topics }: SettledPipeline,
  entry: EntryLag,
  consumers: number | undefined,
  atMs: number
): EntryState {
  if (entry.missing !== undefined) return 'TopicMissing'
  if (suspend) return 'Suspended'
  if (entry.sinkError !== undefined) return 'SinkFailing'
  if (entry.lag === undefined) return 'Unknown'
  if (entry.lag === 0) return 'CaughtUp'
  if (consumers === 0) return 'Stopped'
  const intervalMs = topics.find(({ name }) => name === entry.name)?.batch.triggerIntervalMs ?? 0
  const isStalled = atMs - (entry.lastCommit?.atMs ?? 0) > Math.max(STALLED_AFTER_MS, 3 * intervalMs)
  return isStalled ? 'Stalled' : 'Flowing'
}

const GOOD: readonly EntryState[] = ['CaughtUp', 'Flowing', 'Suspended']

/** Whether every table has all, gets it, or is not meant to. */
export const isWell = ({ trouble, entries }: PipelineStatus): boolean =>
  trouble === undefined && entries.every(({ state }) => GOOD.includes(state))

/** For people: a block per pipeline. */
export function statusText(statuses: readonly PipelineStatus[]): string {
  return statuses.map(status => `${block(status).join('\n')}\n`).join('\n')
}

function block({ pipeline, groupId, consumers, trouble, entries, atMs }: PipelineStatus): readonly string[] {
  const head = `${pipeline}   group ${groupId}   ${consumers ?? UNKNOWN} consumer${consumers === 1 ? '' : 's'}`
  if (trouble !== undefined) return [head, `not known: ${trouble}`]
  const rows = entries.map(
    ({ name, topics, table, state, partitions, lag, behindSeconds, lastCommit, deadLetters, sinkError }) => [
      topics.length === 1 ? (topics[0] ?? name) : name,
      table,
      sinkError ?? state,
      shortCount(partitions),
      shortCount(lag),
      shortSeconds(behindSeconds),
      lastCommit === undefined || lastCommit.atMs === 0
        ? UNKNOWN
        : `${shortSeconds((atMs - lastCommit.atMs) / 1000)} ago`,
      lastCommit?.version === undefined || lastCommit.version === '' ? UNKNOWN : lastCommit.version,
      shortCount(deadLetters)
    ]
  )
  return [
    head,
    ...columns([['TOPIC', 'TABLE', 'STATE', 'PARTS', 'LAG', 'BEHIND', 'COMMIT', 'VERSION', 'DLQ'], ...rows])
  ]
}

/** For programs: one object. Its shape is documented in docs/cli.md and only ever grows; an unknown figure is null. */
export function statusJson(status: PipelineStatus): object {
  const { atMs, pipeline, groupId, trouble, consumers, entries } = status
  return {
    time: timeOf(atMs),
    pipeline,
    groupId,
    well: isWell(status),
    trouble: trouble ?? null,
    consumers: consumers ?? null,
    topics: entries.map(entry => ({
      name: entry.name,
      topics: entry.topics,
      table: entry.table,
      state: entry.state,
      partitions: entry.partitions,
      lag: entry.lag ?? null,
      behindSeconds: entry.behindSeconds ?? null,
      lastCommitTime:
        entry.lastCommit === undefined || entry.lastCommit.atMs === 0 ? null : timeOf(entry.lastCommit.atMs),
      version: entry.lastCommit?.version ?? null,
      deadLetters: entry.deadLetters ?? null,
      sinkError: entry.sinkError ?? null
    }))
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
