import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { SecretDocument } from '../crds/documents.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import { secretFolder, type ReadSecret } from '../lib/secrets.ts'
import type { KafkaCluster } from '../operator/kafka/cluster.ts'
import { KafkaClusters, type ClusterLease } from '../operator/kafka/clusters.ts'
import { openLagSampler, type LagSampler } from '../operator/kafka/lag-sampler.ts'
import { layOutSecrets, secretsOf } from './secrets.ts'
import { makeWorkFolder } from './work-folder.ts'

/** How a pipeline's Kafka cluster and Secrets are reached from here, without running it. */
export interface Reach {
  readonly pipeline: SettledPipeline
  readonly readSecret: ReadSecret
  readonly sampler: LagSampler
  /** What its group is beside offsets. Throws RetryableError, and FatalError when a Secret is missing. */
  readonly group: () => ReturnType<KafkaCluster['group']>
}

export interface SecretSources {
  readonly secrets: readonly SecretDocument[]
  /** The folder of `--secrets`. */
  readonly secretsFolder: string | undefined
  readonly cwd: string
}

interface Chosen {
  readonly document: BronzePipeline
  readonly pipeline: SettledPipeline
}

/** Does `work` with a way to each pipeline, and leaves no connection and no Secret behind. */
export async function withReach<T>(
  chosen: readonly Chosen[],
  { secrets, secretsFolder, cwd }: SecretSources,
  work: (reaches: readonly Reach[]) => Promise<T>
): Promise<T> {
  const folder = await makeWorkFolder(tmpdir(), Date.now())
  const clusters = new KafkaClusters(systemClock)
  const closing: (() => void)[] = []
  try {
    const reaches: Reach[] = []
    for (const [index, { document, pipeline }] of chosen.entries()) {
      const own = join(folder, String(index))
      const more = secretsFolder === undefined ? undefined : resolve(cwd, secretsFolder)
      await layOutSecrets(own, secretsOf(document, secrets), more)
      const readSecret = secretFolder(own)
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
      reaches.push({ pipeline, readSecret, sampler, group })
    }
    return await work(reaches)
  } finally {
    for (const close of closing) close()
    await rm(folder, { recursive: true, force: true })
  }
}
