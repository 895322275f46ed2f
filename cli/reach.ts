import type { BronzePipeline } from '../crds/pipeline.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import type { ReadSecret } from '../lib/secrets.ts'
import type { KafkaCluster } from '../operator/kafka/cluster.ts'
import { KafkaClusters, type ClusterLease } from '../operator/kafka/clusters.ts'
import { openLagSampler, type LagSampler } from '../operator/kafka/lag-sampler.ts'
import { withSecrets, type SecretSources } from './secrets.ts'

/** How a pipeline's Kafka cluster and Secrets are reached from here, without running it. */
export interface Reach {
  readonly pipeline: SettledPipeline
  readonly readSecret: ReadSecret
  readonly sampler: LagSampler
  /** What its group is beside offsets. Throws RetryableError, and FatalError when a Secret is missing. */
  readonly group: () => ReturnType<KafkaCluster['group']>
}

interface Chosen {
  readonly document: BronzePipeline
  readonly pipeline: SettledPipeline
}

/** Does `work` with a way to each pipeline, and leaves no connection and no Secret behind. */
export async function withReach<T>(
  chosen: readonly Chosen[],
  sources: SecretSources,
  work: (reaches: readonly Reach[]) => Promise<T>
): Promise<T> {
  const documents = chosen.map(({ document }) => document)
  return await withSecrets(documents, sources, async readers => {
    const clusters = new KafkaClusters(systemClock)
    const closing: (() => void)[] = []
    try {
      const reaches = chosen.flatMap(({ pipeline }, index): readonly Reach[] => {
        const readSecret = readers[index]
        if (readSecret === undefined) return []
        const sampler = openLagSampler(pipeline, readSecret, clusters, Date.now)
        let lease: ClusterLease | undefined
        const group: Reach['group'] = async () => {
          lease ??= await clusters.lease(pipeline.source, readSecret)
          return await lease.cluster.group(pipeline.source.groupId)
        }
        closing.push(
          () => sampler.close(),
          () => lease?.release()
        )
        return [{ pipeline, readSecret, sampler, group }]
      })
      return await work(reaches)
    } finally {
      for (const close of closing) close()
    }
  })
}
