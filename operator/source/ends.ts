import { decodeReport } from '../../crds/report.ts'
import type { EndAt } from '../../crds/settled.ts'
import type { SampledPipeline } from './lag.ts'
import type { PartitionOffsets } from './partition-offsets.ts'

/** The topics of each entry, by its name. */
type TopicsOfEntries = ReadonlyMap<string, readonly string[]>
type Reads = Pick<SampledPipeline, 'topics' | 'createdAt'>

/** The offsets of a pipeline as if its topics ended where its entries do: what comes after is not missing. */
export function endedOffsets(
  pipeline: Reads,
  topics: TopicsOfEntries,
  offsets: readonly PartitionOffsets[]
): readonly PartitionOffsets[] {
  const endsAt = endsByTopic(pipeline, topics)
  if (endsAt.size === 0) return offsets
  return offsets.map(partition => {
    const end = endOf(partition, endsAt.get(partition.topic), pipeline.createdAt)
    const { lastStable, committed = 0 } = partition
    if (end === undefined || lastStable === undefined) return partition
    // Reading may have begun beyond the end.
    return { ...partition, lastStable: Math.min(lastStable, Math.max(end, committed)) }
  })
}

/**
 * Whether all is in the tables that a pipeline is to read; undefined for one that does not end. Consumers say where a
 * partition ends: as long as they have not, it is not complete.
 */
export function isComplete(
  pipeline: Reads,
  topics: TopicsOfEntries,
  offsets: readonly PartitionOffsets[]
): boolean | undefined {
  if (!pipeline.topics.every(({ endAt }) => endAt !== undefined)) return undefined
  const endsAt = endsByTopic(pipeline, topics)
  const isMissing = pipeline.topics.some(({ name, match }) => 'topic' in match && (topics.get(name) ?? []).length === 0)
  if (isMissing || offsets.length === 0) return false
  return offsets.every(partition => {
    const end = endOf(partition, endsAt.get(partition.topic), pipeline.createdAt)
    return end !== undefined && (partition.committed ?? -1) >= end
  })
}

const endsByTopic = ({ topics: entries }: Reads, topics: TopicsOfEntries): ReadonlyMap<string, EndAt> =>
  new Map(
    entries.flatMap(({ name, endAt }) =>
      endAt === undefined ? [] : (topics.get(name) ?? []).map(topic => [topic, endAt] as const)
    )
  )

/**
 * What consumers have told, if it answers to what is asked now: reports of an earlier pipeline of this name, and of an end
 * that was asked for before, lie in the group too.
 */
function endOf(
  { partition, metadata }: PartitionOffsets,
  endAt: EndAt | undefined,
  createdAt: string | undefined
): number | undefined {
  const end = decodeReport(metadata)?.end
  if (end === undefined || endAt === undefined) return undefined
  if (createdAt !== undefined && end.atMs < Date.parse(createdAt)) return undefined
  const isAnswer =
    endAt.position === 'Timestamp' && (endAt.partitions?.includes(partition) ?? true)
      ? end.timestampMs === endAt.timestampMs
      : end.timestampMs === undefined &&
        end.offset === (endAt.position === 'Offsets' ? (endAt.offsets.get(partition) ?? 0) : 0)
  return isAnswer ? end.offset : undefined
}
