import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EndAt, SettledPipeline, StartFrom } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { type Partition, type PartitionId, partitionId } from '../partition.ts'
import type { End, Poll, ReportedOffset, Source, SourceLoss } from '../source.ts'
import { AssignedPartitions } from './assigned-partitions.ts'
import type { TopicPartition } from './assigner.ts'
import { Cluster } from './cluster.ts'
import { Connections } from './connections.ts'
import type { Cursor } from './cursor.ts'
import { resolveEnds } from './end.ts'
import { Examiner, RECREATED } from './examiner.ts'
import type { FetchedPartition } from './fetch-request.ts'
import { Fetcher } from './fetcher.ts'
import { GroupOffsets } from './group-offsets.ts'
import { Handover } from './handover.ts'
import { Membership } from './membership.ts'
import { Outage } from './outage.ts'
import { Security } from './security.ts'
import { resolveStart } from './start.ts'
import { TopicFinder } from './topic-finder.ts'
import { EARLIEST, TopicOffsets } from './topic-offsets.ts'
import { TopicWatch } from './topic-watch.ts'
import { sourceError } from './trouble.ts'
import { Waker } from './waker.ts'

export interface KafkaSourceOptions {
  readonly pipeline: Pick<SettledPipeline, 'source' | 'topics' | 'deadLetters'>
  /** `group.instance.id`: the pod's name, or the slot's number. */
  readonly instanceId: string
  readonly clientId: string
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
  readonly limits: {
    /** Of one answer, shared among the brokers that are fetched from. */
    readonly fetchBytes: number
    readonly partitionFetchBytes: number
    readonly sessionTimeoutMs: number
    readonly metadataRefreshMs: number
  }
}

const REQUEST_TIMEOUT_MS = 15_000

export function openKafkaSource(options: KafkaSourceOptions): Source {
  return new KafkaSource(options)
}

class KafkaSource implements Source {
  readonly #options: KafkaSourceOptions
  readonly #connections: Connections
  readonly #cluster: Cluster
  readonly #finder: TopicFinder
  readonly #offsets: TopicOffsets
  readonly #groups: GroupOffsets
  readonly #membership: Membership
  readonly #fetcher: Fetcher
  readonly #examiner: Examiner
  /** Wakes whoever waits in `poll`. */
  readonly #news: Waker
  readonly #watch: TopicWatch
  readonly #partitions = new AssignedPartitions()
  readonly #handover: Handover
  readonly #outage: Outage
  #isOpen: (partition: PartitionId) => boolean = () => true
  #losses: SourceLoss[] = []
  #held: readonly TopicPartition[] = []
  #failure: Error | undefined
  #isStarted = false
  #isClosed = false
  #hasToldNames = false

  constructor(options: KafkaSourceOptions) {
    const { pipeline, instanceId, clientId, readSecret, clock, log, limits } = options
    const { source } = pipeline
    const { sessionTimeoutMs } = limits
    const { groupId } = source
    const { cursors } = this.#partitions
    this.#options = options
    this.#connections = new Connections(clientId, new Security(source.security, readSecret, clock), {
      fetch: REQUEST_TIMEOUT_MS,
      // A join is answered when the whole group has joined, at most a session time-out later.
      group: sessionTimeoutMs + REQUEST_TIMEOUT_MS,
      control: REQUEST_TIMEOUT_MS
    })
    const cluster = new Cluster(this.#connections, source.bootstrapServers)
    this.#cluster = cluster
    this.#finder = new TopicFinder(cluster, pipeline, log)
    this.#offsets = new TopicOffsets(cluster, clock)
    this.#groups = new GroupOffsets(cluster, groupId, instanceId, log)
    this.#examiner = new Examiner(cluster, this.#offsets, clock, log)
    this.#news = new Waker(clock)
    this.#outage = new Outage(clock)
    this.#membership = new Membership({
      cluster,
      clock,
      log,
      groupId,
      instanceId,
      sessionTimeoutMs,
      onFailure: error => this.#fail(error),
      onTrouble: error => this.#onTrouble(error),
      findTopics: () => this.#finder.find(),
      onAssigned: partitions => this.#onAssigned(partitions)
    })
    this.#fetcher = new Fetcher({
      cluster,
      clock,
      limits,
      cursors,
      isOpen: id => this.#isOpen(id),
      onData: () => this.#news.wake(),
      onRefused: (cursor, answer) => void this.#examine(cursor, answer),
      onTrouble: error => {
        this.#onTrouble(error)
        // The leader may have moved.
        if (error !== undefined) this.#watch.wake()
      },
      onNames: () => this.#tellNames()
    })
    this.#handover = new Handover(this.#fetcher, log)
    this.#watch = new TopicWatch({
      cluster,
      clock,
      cursors,
      finder: this.#finder,
      membership: this.#membership,
      refreshMs: limits.metadataRefreshMs,
      onRecreated: cursor => this.#examine(cursor, RECREATED),
      onRefreshed: () => this.#onAssigned(this.#held),
      onTrouble: error => this.#onTrouble(error)
    })
  }

  async open(): Promise<void> {
    try {
      await this.#finder.find()
    } catch (error) {
      throw sourceError(error)
    }
    if (this.#isStarted) return
    this.#isStarted = true
    this.#membership.start()
    void this.#watch.run()
  }

  async poll(maxWaitMs: number, wantsBatches: boolean): Promise<Poll> {
    // Sockets are served between two polls even when data never runs out.
    await nextTurn()
    this.#fetcher.wake()
    if (!this.#hasNews(wantsBatches)) await this.#news.wait(maxWaitMs)
    if (this.#failure !== undefined) throw this.#failure
    const trouble = this.#finder.trouble ?? this.#outage.trouble
    if (trouble !== undefined && !this.#hasNews(wantsBatches)) throw trouble
    const losses = this.#losses.filter(loss => this.#isCurrent(loss))
    this.#losses = []
    return { ...this.#partitions.takeChanges(), losses, batches: wantsBatches ? this.#handover.take() : [] }
  }

  seek(positions: ReadonlyMap<PartitionId, number>): void {
    for (const [id, offset] of positions) this.#partitions.cursors.get(id)?.seek(offset)
    this.#fetcher.wake()
  }

  setGate(isOpen: (partition: PartitionId) => boolean): void {
    this.#isOpen = isOpen
  }

  async resolveStart(topic: string, startFrom: StartFrom): Promise<ReadonlyMap<number, number>> {
    const ports = { cluster: this.#cluster, offsets: this.#offsets, groups: this.#groups, log: this.#options.log }
    return resolveStart(ports, topic, startFrom).catch(rethrow)
  }

  async resolveEnds(topic: string, endAt: EndAt): Promise<ReadonlyMap<number, End>> {
    return resolveEnds(this.#cluster, this.#offsets, this.#options.clock, topic, endAt).catch(rethrow)
  }

  async logStarts(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, number>> {
    const starts = new Map<PartitionId, number>()
    for (const [topic, entries] of Map.groupBy(partitions, ({ topic }) => topic)) {
      const listed = await this.#offsets
        .list(
          topic,
          entries.map(({ partition }) => partition),
          EARLIEST
        )
        .catch(rethrow)
      for (const [partition, offset] of listed) starts.set(partitionId({ topic, partition }), offset)
    }
    return starts
  }

  async report(offsets: ReadonlyMap<PartitionId, ReportedOffset>): Promise<boolean> {
    const member = this.#membership.identity
    if (member === undefined) return false
    const partitions = new Map([...this.#partitions.cursors].map(([id, { partition }]) => [id, partition]))
    return this.#groups.commit(offsets, partitions, member)
  }

  async reported(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, ReportedOffset>> {
    return this.#groups.fetch(this.#options.pipeline.source.groupId, partitions).catch(rethrow)
  }

  isMember(): boolean {
    return this.#membership.isMember
  }

  lags(): ReadonlyMap<PartitionId, { endOffset: number; logStart: number; position: number }> {
    const lags = new Map<PartitionId, { endOffset: number; logStart: number; position: number }>()
    for (const { id, endOffset, logStart, position, isSought } of this.#partitions.cursors.values()) {
      if (isSought && endOffset !== undefined && logStart !== undefined) lags.set(id, { endOffset, logStart, position })
    }
    return lags
  }

  retire(): void {
    this.#membership.retire()
  }

  async close({ leave }: { leave: boolean }): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#fetcher.close()
    this.#watch.stop()
    await this.#membership.stop(leave)
    await this.#connections.close()
    this.#news.wake()
  }

  #hasNews(wantsBatches: boolean): boolean {
    const hasEvents = this.#partitions.hasChanged || this.#losses.length > 0 || this.#failure !== undefined
    return hasEvents || (wantsBatches && this.#handover.hasData)
  }

  #onAssigned(partitions: readonly TopicPartition[]): void {
    this.#held = partitions
    this.#partitions.update(partitions, topic => this.#cluster.topic(topic)?.topicId)
    this.#fetcher.wake()
    this.#news.wake()
  }

  #isCurrent({ partition }: SourceLoss): boolean {
    return this.#partitions.cursors.get(partitionId(partition))?.isLost === true
  }

  async #examine(cursor: Cursor, answer: FetchedPartition): Promise<void> {
    try {
      this.#tellLoss(await this.#examiner.examine(cursor, answer))
    } catch (error) {
      this.#fail(sourceError(error))
    }
  }

  #tellLoss(loss: SourceLoss | undefined): void {
    if (loss !== undefined) this.#losses.push(loss)
    this.#fetcher.wake()
    this.#news.wake()
  }

  /** Undefined says that a broker answered. */
  #onTrouble(error: unknown): void {
    if (error === undefined) {
      this.#outage.ends()
      return
    }
    const trouble = sourceError(error)
    if (trouble instanceof RetryableError) this.#outage.begins(trouble)
    else this.#fail(trouble)
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.#failure ??= error
    this.#news.wake()
  }

  #tellNames(): void {
    if (this.#hasToldNames) return
    this.#hasToldNames = true
    this.#options.log.warn('the brokers fetch by topic name: a topic made anew is seen by its offsets only')
  }
}

function rethrow(error: unknown): never {
  throw sourceError(error)
}
