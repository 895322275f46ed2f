import type { SettledPipeline } from '../../crds/settled.ts'
import { topicsByEntry } from '../../crds/topics.ts'
import type { RetryableError } from '../../lib/errors.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { groupView, podsOf, type GroupView } from '../group-view.ts'
import { pipelineLag, type CaughtUpTimes, type PartitionOffsets, type PipelineLag } from '../lag.ts'
import type { KafkaCluster } from './cluster.ts'
import type { ClusterLease, KafkaClusters } from './clusters.ts'
import { sourceTrouble } from './trouble.ts'

export interface LagSample {
  readonly lag: PipelineLag
  /** What the figures were made from. */
  readonly offsets: readonly PartitionOffsets[]
  /** Undefined when the group could not be asked about. */
  readonly group?: GroupView | undefined
  /** Why offsets are not known although the topics are. */
  readonly trouble: RetryableError | undefined
}

/** Looks at a pipeline's topics and its group's offsets. */
export interface LagSampler {
  /** Throws RetryableError when not even the topics can be seen; the sampler stays usable. Not to be called while it runs. */
  sample(): Promise<LagSample>
  /** Members of the group, whoever runs them. Throws RetryableError. */
  countMembers(): Promise<number>
  close(): void
}

export function openLagSampler(
  pipeline: SettledPipeline,
  readSecret: ReadSecret,
  clusters: KafkaClusters,
  now: () => number
): LagSampler {
  const caughtUp: CaughtUpTimes = new Map()
  let lease: ClusterLease | undefined
  let isClosed = false

  const connect = async () => {
    const next = await clusters.lease(pipeline.source, readSecret)
    // The old one is released after the new one is taken: the same connections must not close in between.
    lease?.release()
    lease = next
    if (isClosed) next.release()
    return next.cluster
  }

  const sample = async (): Promise<LagSample> => {
    const cluster = await connect().catch((error: unknown) => {
      throw sourceTrouble(error)
    })
    const partitionCounts = await cluster.topics()
    const topics = topicsByEntry(pipeline, partitionCounts.keys())
    const names = [...topics.values()].flat()
    const { groupId } = pipeline.source
    const [known, group] = await Promise.all([
      cluster.offsets(groupId, names).catch((error: unknown) => sourceTrouble(error)),
      describe(cluster, groupId)
    ])
    const offsets = known instanceof Error ? unknownOffsets(names, partitionCounts) : known
    const lag = pipelineLag(pipeline, topics, offsets, now(), caughtUp)
    return { lag, offsets, group, trouble: known instanceof Error ? known : undefined }
  }

  const isOwn = podsOf(pipeline.name)
  const describe = async (cluster: KafkaCluster, groupId: string): Promise<GroupView | undefined> => {
    // Whoever may not describe the group may not read its offsets either, and is told so there.
    const described = await (await cluster.group(groupId)).describe().catch(() => undefined)
    return described && groupView(described, isOwn)
  }

  const countMembers = async (): Promise<number> => {
    const cluster = await connect().catch((error: unknown) => {
      throw sourceTrouble(error)
    })
    return await (await cluster.group(pipeline.source.groupId)).countMembers()
  }

  const close = () => {
    isClosed = true
    lease?.release()
  }
  return { sample, countMembers, close }
}

function unknownOffsets(topics: readonly string[], counts: ReadonlyMap<string, number>): readonly PartitionOffsets[] {
  const unknown = { committed: undefined, metadata: '', logStart: undefined, lastStable: undefined }
  return topics.flatMap(topic =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition, ...unknown }))
  )
}
