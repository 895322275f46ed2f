import { decodeReport, type Report } from '../../crds/report.ts'
import type { SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import { notBefore, type Arrivals } from './arrivals.ts'
import { recordsOf, type PartitionOffsets } from './partition-offsets.ts'

/** The part of a pipeline that its lag depends on. */
export interface SampledPipeline extends Pick<SettledPipeline, 'namespace' | 'name' | 'source' | 'deadLetters'> {
  readonly createdAt?: string | undefined
  readonly topics: readonly Pick<SettledTopic, 'name' | 'table' | 'match' | 'endAt'>[]
}

/** Figures of a partition. Undefined is unknown, which is never 0. */
export interface PartitionLag {
  readonly lag: number | undefined
  /** At most this old is the oldest record not yet in a table; 0 when there is none. */
  readonly behindSeconds: number | undefined
  readonly report: Report | undefined
}

/** Figures of one entry of `spec.topics`. */
export interface EntryLag {
  readonly name: string
  readonly table: string
  /** Topics found that belong to the entry. */
  readonly topics: readonly string[]
  /** The topic that the entry names and that does not exist: then its lag is unknown. */
  readonly missing: string | undefined
  readonly partitions: number
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  /** Sum of the next offsets to read. */
  readonly committed: number | undefined
  readonly lastCommit: { readonly atMs: number; readonly version: string } | undefined
  readonly deadLetters: number | undefined
  readonly sinkError: string | undefined
  /** The newest loss in the source that was gone over. */
  readonly dataLoss: { readonly topic: string; readonly kind: string; readonly atMs: number } | undefined
}

/** Figures of a whole pipeline at one moment. */
export interface PipelineLag {
  readonly atMs: number
  readonly entries: readonly EntryLag[]
  readonly partitions: number
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly deadLetters: number | undefined
  /** Partitions whose lag is not known. */
  readonly unknownPartitions: number
  /** Partitions for which consumers have reported that their table is open. */
  readonly reportedPartitions: number
  /** Whether all is in the tables up to where the entries end; undefined when not all of them do. */
  readonly isComplete?: boolean | undefined
}

/**
 * Lag is last stable offset − max(committed, log start): transaction markers at the tail count until the consumer moves
 * its reported offset over them, which it does within seconds; records that retention deleted do not count. Without a
 * committed offset it is unknown, unless the partition is empty; so it is when the committed offset lies beyond the end,
 * since then the topic is not what it was. `arrivals` is brought up to date.
 */
export function partitionLag(offsets: PartitionOffsets, nowMs: number, arrivals: Arrivals): PartitionLag {
  const { committed, logStart, lastStable } = offsets
  const report = decodeReport(offsets.metadata)
  const lag = recordsOf(committed, logStart, lastStable)
  if (lag === undefined) return { lag, behindSeconds: undefined, report }
  if (lag === 0) {
    arrivals.set(`${offsets.topic}/${offsets.partition}`, { nextOffset: lastStable ?? 0, notBeforeMs: nowMs })
    return { lag, behindSeconds: 0, report }
  }
  const sinceMs = notBefore(offsets, arrivals)
  return { lag, behindSeconds: sinceMs === undefined ? undefined : Math.max(0, (nowMs - sinceMs) / 1000), report }
}

/** The figures of a pipeline from those of its partitions; `topics` are those of each entry by name. */
export function pipelineLag(
  { topics: wanted }: Pick<SampledPipeline, 'topics'>,
  topics: ReadonlyMap<string, readonly string[]>,
  offsets: readonly PartitionOffsets[],
  nowMs: number,
  arrivals: Arrivals
): PipelineLag {
  const byTopic = Map.groupBy(offsets, ({ topic }) => topic)
  const parts: PartitionLag[] = []
  const entries = wanted.map(({ name, table, match }): EntryLag => {
    const own = topics.get(name) ?? []
    const missing = 'topic' in match && own.length === 0 ? match.topic : undefined
    const mine = own.flatMap(topic => byTopic.get(topic) ?? [])
    const lags = mine.map(partition => partitionLag(partition, nowMs, arrivals))
    parts.push(...lags)
    return {
      name,
      table,
      topics: own,
      missing,
      partitions: mine.length,
      lag: missing !== undefined ? undefined : sum(lags.map(({ lag }) => lag)),
      behindSeconds: missing !== undefined ? undefined : largest(lags.map(({ behindSeconds }) => behindSeconds)),
      committed: sum(mine.map(({ committed }) => committed)),
      ...reported(mine, lags)
    }
  })
  return {
    atMs: nowMs,
    entries,
    partitions: parts.length,
    lag: sum(entries.map(({ lag }) => lag)),
    behindSeconds: largest(entries.map(({ behindSeconds }) => behindSeconds)),
    deadLetters: sum(entries.map(({ deadLetters }) => deadLetters)),
    unknownPartitions: parts.filter(({ lag }) => lag === undefined).length,
    reportedPartitions: parts.filter(({ report }) => report !== undefined).length
  }
}

function reported(
  partitions: readonly PartitionOffsets[],
  lags: readonly PartitionLag[]
): Pick<EntryLag, 'lastCommit' | 'deadLetters' | 'sinkError' | 'dataLoss'> {
  let newest: Report | undefined
  let loss: EntryLag['dataLoss']
  for (const [index, { report }] of lags.entries()) {
    if (report === undefined) continue
    if (report.committedAtMs > (newest?.committedAtMs ?? 0)) newest = report
    const { dataLoss } = report
    if (dataLoss && dataLoss.atMs > (loss?.atMs ?? 0)) loss = { topic: partitions[index]?.topic ?? '', ...dataLoss }
  }
  return {
    lastCommit: newest && { atMs: newest.committedAtMs, version: newest.version },
    // A partition that nobody has reported on may have dead letters from before its offsets expired.
    deadLetters: sum(lags.map(({ report }) => report?.deadLetters)),
    sinkError: lags.find(({ report }) => report?.sinkError !== undefined)?.report?.sinkError,
    dataLoss: loss
  }
}

/** Undefined when any of them is. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0
  for (const value of values) {
    if (value === undefined) return undefined
    total += value
  }
  return total
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  let most = 0
  for (const value of values) {
    if (value === undefined) return undefined
    most = Math.max(most, value)
  }
  return most
}
