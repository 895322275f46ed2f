import { topicsByEntry } from '../../crds/topics.ts'
import type { RetryableError } from '../../lib/errors.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { learn, questionsOf, type Arrivals } from '../source/arrivals.ts'
import { endedOffsets, isComplete } from '../source/ends.ts'
import { groupView, podsOf, type GroupView } from '../source/group-view.ts'
import { pipelineLag, type PipelineLag, type SampledPipeline } from '../source/lag.ts'
import type { PartitionOffsets } from '../source/partition-offsets.ts'
import type { KafkaCluster, OffsetsSeen } from './cluster.ts'
import type { ClusterLease, KafkaClusters } from './clusters.ts'
import type { TopicInterest, TopicsSeen } from './topic-directory.ts'
import { sourceTrouble, topicsRefused } from './trouble.ts'

/** Values of Secrets are read anew this often, and at once after the brokers have refused them. */
const LEASE_AGE_MS = 300_000

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
  pipeline: SampledPipeline,
  readSecret: ReadSecret,
  clusters: KafkaClusters,
  now: () => number
): LagSampler {
  return new Sampler(pipeline, readSecret, clusters, now)
}

class Sampler implements LagSampler {
  readonly #pipeline: SampledPipeline
  readonly #readSecret: ReadSecret
  readonly #clusters: KafkaClusters
  readonly #now: () => number
  readonly #isOwn: (clientId: string) => boolean
  readonly #interest: TopicInterest
  readonly #arrivals: Arrivals = new Map()
  #lease: (ClusterLease & { readonly unfollow: () => void; readonly atMs: number }) | undefined
  #topics: { readonly of: readonly string[]; readonly byEntry: ReadonlyMap<string, readonly string[]> } | undefined
  #isClosed = false

  constructor(pipeline: SampledPipeline, readSecret: ReadSecret, clusters: KafkaClusters, now: () => number) {
    this.#pipeline = pipeline
    this.#readSecret = readSecret
    this.#clusters = clusters
    this.#now = now
    this.#isOwn = podsOf(pipeline.name)
    const named = pipeline.topics.flatMap(({ match }) => ('topic' in match ? [match.topic] : []))
    const hasPattern = pipeline.topics.some(({ match }) => 'pattern' in match)
    this.#interest = { names: named, hasPattern }
  }

  async sample(): Promise<LagSample> {
    try {
      return await this.#sample()
    } catch (error) {
      const trouble = sourceTrouble(error)
      if (LOGIN.has(trouble.code)) this.#release()
      throw trouble
    }
  }

  async countMembers(): Promise<number> {
    try {
      return await (await (await this.#connect()).group(this.#pipeline.source.groupId)).countMembers()
    } catch (error) {
      throw sourceTrouble(error)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#release()
  }

  async #sample(): Promise<LagSample> {
    const { groupId } = this.#pipeline.source
    const cluster = await this.#connect()
    const seen = await cluster.topics(this.#interest)
    const topics = this.#topicsOf(seen)
    const names = [...topics.values()].flat()
    const [known, group] = await Promise.all([
      cluster.offsets(groupId, names).catch((error: unknown) => nothingKnown(names, seen, error)),
      this.#describe(cluster)
    ])
    const offsets = endedOffsets(this.#pipeline, topics, known.offsets)
    await this.#askForTimes(cluster, offsets, group)
    const lag = {
      ...pipelineLag(this.#pipeline, topics, offsets, this.#now(), this.#arrivals),
      isComplete: isComplete(this.#pipeline, topics, offsets)
    }
    const refused = this.#interest.names.filter(name => seen.refused.has(name))
    const trouble = refused.length > 0 ? topicsRefused(refused) : known.trouble
    return { lag, offsets, group, trouble }
  }

  async #connect(): Promise<KafkaCluster> {
    const nowMs = this.#now()
    if (this.#lease !== undefined && Math.abs(nowMs - this.#lease.atMs) < LEASE_AGE_MS) return this.#lease.cluster
    const next = await this.#clusters.lease(this.#pipeline.source, this.#readSecret)
    const unfollow = next.cluster.follow(this.#interest)
    // The old one is released after the new one is taken: the same connections must not close in between.
    this.#release()
    this.#lease = { ...next, unfollow, atMs: nowMs }
    if (this.#isClosed) this.#release()
    return next.cluster
  }

  #release(): void {
    this.#lease?.unfollow()
    this.#lease?.release()
    this.#lease = undefined
  }

  /** Patterns are matched again only when the cluster's topics have changed. */
  #topicsOf({ names, leaders }: TopicsSeen): ReadonlyMap<string, readonly string[]> {
    const { names: named, hasPattern } = this.#interest
    if (!hasPattern) return topicsByEntry(this.#pipeline, new Set(named.filter(name => leaders.has(name))))
    if (this.#topics?.of !== names) this.#topics = { of: names, byEntry: topicsByEntry(this.#pipeline, names) }
    return this.#topics.byEntry
  }

  async #describe(cluster: KafkaCluster): Promise<GroupView | undefined> {
    // Whoever may not describe the group may not read its offsets either, and is told so there.
    const described = await cluster.describe(this.#pipeline.source.groupId).catch(() => undefined)
    return described && groupView(described, this.#isOwn)
  }

  /** How old what is missing may be, where nobody has told of it. */
  async #askForTimes(cluster: KafkaCluster, offsets: readonly PartitionOffsets[], group?: GroupView): Promise<void> {
    const questions = questionsOf(offsets, this.#arrivals, group?.members === 0, this.#now())
    if (questions.length === 0) return
    // Without an answer, what was known before is still true.
    const answers = await cluster.offsetsAt(questions).catch(() => new Map<string, number>())
    learn(questions, answers, this.#arrivals)
  }
}

const LOGIN = new Set(['SourceAuthenticationFailed', 'SecretMissing'])

/** Every partition, and nothing of it. */
function nothingKnown(topics: readonly string[], { leaders }: TopicsSeen, error: unknown): OffsetsSeen {
  const unknown = { committed: undefined, metadata: '', logStart: undefined, lastStable: undefined }
  const offsets = topics.flatMap(topic =>
    (leaders.get(topic) ?? []).map((_, partition) => ({ topic, partition, ...unknown }))
  )
  return { offsets, trouble: sourceTrouble(error) }
}
