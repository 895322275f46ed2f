import type { Clock } from '../../lib/clock.ts'
import type { PartitionId } from '../partition.ts'
import type { Cluster } from './cluster.ts'
import type { Cursor } from './cursor.ts'
import type { Membership } from './membership.ts'
import type { TopicFinder } from './topic-finder.ts'
import { Waker } from './waker.ts'

export interface TopicWatchOptions {
  readonly cluster: Cluster
  readonly finder: TopicFinder
  readonly membership: Membership
  readonly cursors: ReadonlyMap<PartitionId, Cursor>
  readonly clock: Clock
  readonly refreshMs: number
  /** The topic of this partition is another one under the same name. */
  readonly onRecreated: (cursor: Cursor) => Promise<void>
  /** Leaders may have moved. */
  readonly onRefreshed: () => void
  readonly onTrouble: (error: unknown) => void
}

/** Looks at the cluster's topics at an interval: picks up new topics and partitions, and topics that were made anew. */
export class TopicWatch {
  readonly #options: TopicWatchOptions
  readonly #waker: Waker
  #isStopped = false

  constructor(options: TopicWatchOptions) {
    this.#options = options
    this.#waker = new Waker(options.clock)
  }

  /** Looks now. */
  wake(): void {
    this.#waker.wake()
  }

  stop(): void {
    this.#isStopped = true
    this.#waker.wake()
  }

  async run(): Promise<void> {
    const { refreshMs, onTrouble } = this.#options
    for (;;) {
      await this.#waker.wait(refreshMs)
      if (this.#isStopped) return
      try {
        await this.#look()
      } catch (error) {
        onTrouble(error)
      }
    }
  }

  async #look(): Promise<void> {
    const { finder, membership, cursors, onRecreated, onRefreshed } = this.#options
    const before = finder.found.join()
    const found = await finder.find()
    if (found.join() === before) await membership.checkPartitions()
    else membership.rejoin('the topics have changed')
    for (const cursor of cursors.values()) {
      if (cursor.isSought && !cursor.isLost && this.#isAnotherTopic(cursor)) await onRecreated(cursor)
    }
    onRefreshed()
  }

  #isAnotherTopic({ partition: { topic, topicId } }: Cursor): boolean {
    const now = this.#options.cluster.topic(topic)?.topicId ?? ''
    return now !== '' && topicId !== '' && now !== topicId
  }
}
