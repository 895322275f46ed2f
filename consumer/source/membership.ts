import {
  heartbeatV3,
  heartbeatV4,
  joinGroupV5,
  joinGroupV9,
  leaveGroupV3,
  leaveGroupV5,
  syncGroupV3,
  syncGroupV5
} from '@platformatic/kafka'
import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { TopicPartition } from './assigner.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerAddress, Link } from './connections.ts'
import { Dealer } from './dealer.ts'
import { PROTOCOL_NAME, decodeAssignment, decodeSubscription, encodeSubscription } from './subscription.ts'
import { checkCode, errorIds, sourceError } from './trouble.ts'
import { Waker } from './waker.ts'

const JOIN_GROUP = [joinGroupV9.api, joinGroupV5.api] as const
const SYNC_GROUP = [syncGroupV5.api, syncGroupV3.api] as const
const HEARTBEAT = [heartbeatV4.api, heartbeatV3.api] as const
const LEAVE_GROUP = [leaveGroupV5.api, leaveGroupV3.api] as const
const PROTOCOL_TYPE = 'consumer'
const MAX_HEARTBEAT_INTERVAL_MS = 3000
/** How long a closing process tries to say good-bye. */
const LEAVE_TIMEOUT_MS = 5000
const LEAVE_RETRY_MS = 100

export interface MembershipOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly log: Log
  readonly groupId: string
  /** `group.instance.id`: under the same one a restarted process takes back its partitions without a rebalance. */
  readonly instanceId: string
  readonly sessionTimeoutMs: number
  /** Finds the topics to subscribe to; asked before each join. */
  readonly findTopics: () => Promise<readonly string[]>
  readonly onAssigned: (partitions: readonly TopicPartition[]) => void
  /** Called with a FatalError or a defect; the loop has ended. */
  readonly onFailure: (error: Error) => void
  /** The coordinator could not be used (or, with undefined, answered). */
  readonly onTrouble: (error: unknown) => void
}

/** A place in a consumer group under the classic protocol: joins, heartbeats, joins again when told to. */
export class Membership {
  readonly #options: MembershipOptions
  readonly #waker: Waker
  readonly #dealer: Dealer
  #memberId = ''
  #generationId = -1
  #owned: readonly TopicPartition[] = []
  #coordinator: BrokerAddress | undefined
  #isJoined = false
  /** A request to join is under way: the coordinator may count this member before it has told its id. */
  #isJoining = false
  #mustRejoin = false
  /**
   * A first join stayed unanswered. When it comes to the coordinator after the next one it takes that one's place, as a
   * second process under this name would (KIP-345).
   */
  #hasLostJoin = false
  #isRetired = false
  #isStopped = false
  #lastHeartbeatMs = 0

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#waker = new Waker(options.clock)
    this.#dealer = new Dealer(options.cluster)
  }

  /** As whom offsets are committed; undefined while not a member. */
  get identity(): { memberId: string; generationId: number } | undefined {
    return this.#isJoined ? { memberId: this.#memberId, generationId: this.#generationId } : undefined
  }

  /** A member whose heartbeats stay unanswered for the session time-out has been given up by the group. */
  get isMember(): boolean {
    const { clock, sessionTimeoutMs } = this.#options
    return this.#isJoined && clock.now() - this.#lastHeartbeatMs < sessionTimeoutMs
  }

  start(): void {
    void this.#run()
  }

  /** The topics wanted have changed: the group must hear of it. */
  rejoin(reason: string): void {
    if (this.#mustRejoin) return
    this.#options.log.info('joining the group anew', { reason })
    this.#mustRejoin = true
    this.#waker.wake()
  }

  /** As leader, deals again when partitions have appeared or gone since. */
  async checkPartitions(): Promise<void> {
    if (!this.#isJoined || this.#mustRejoin) return
    if (await this.#dealer.isOutdated()) this.rejoin('the partitions of the topics have changed')
  }

  /** Keeps its place and joins no more: it is about to leave. */
  retire(): void {
    this.#isRetired = true
  }

  /** Ends the loop; with `leave` the partitions are free for others at once, else they are kept for the session time-out. */
  async stop(leave: boolean): Promise<void> {
    this.#isStopped = true
    this.#waker.wake()
    if (leave && (this.#memberId !== '' || this.#isJoining)) await this.#leave()
    this.#isJoined = false
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    for (let attempt = 0; !this.#isStopped;) {
      try {
        const mustJoin = !this.#isJoined || this.#mustRejoin
        if (mustJoin && !this.#isRetired) await this.#rejoining()
        attempt = 0
        await this.#waker.wait(this.#heartbeatIntervalMs())
        const isOfGroup = this.#isJoined && (this.#isRetired || !this.#mustRejoin)
        if (!this.#isStopped && isOfGroup) await this.#heartbeat()
        this.#options.onTrouble(undefined)
      } catch (error) {
        if (this.#isStopped) return
        if (this.#mayGoOn(error)) continue
        const trouble = sourceError(error)
        if (!(trouble instanceof RetryableError)) {
          this.#isJoined = false
          this.#options.onFailure(trouble)
          return
        }
        attempt++
        this.#coordinator = undefined
        this.#options.onTrouble(error)
        log.warn('the group coordinator could not be used', { groupId: this.#options.groupId, attempt }, error)
        await this.#waker.wait(backoffMs(attempt, clock.random(), { firstMs: 100, maxMs: MAX_HEARTBEAT_INTERVAL_MS }))
      }
    }
  }

  #heartbeatIntervalMs(): number {
    return Math.min(MAX_HEARTBEAT_INTERVAL_MS, Math.floor(this.#options.sessionTimeoutMs / 10))
  }

  /** Answers of the coordinator that only ask for another join. */
  #mayGoOn(error: unknown): boolean {
    const ids = errorIds(error)
    if (ids.has('MEMBER_ID_REQUIRED') || ids.has('UNKNOWN_MEMBER_ID')) {
      this.#forget('the group no longer knows this member; joining anew')
    } else if (ids.has('FENCED_INSTANCE_ID') && this.#hasLostJoin) {
      // Once: whoever fences it then is another process.
      this.#hasLostJoin = false
      this.#forget('a late request of this process to join has taken its place; joining anew')
    } else if (!ids.has('REBALANCE_IN_PROGRESS') && !ids.has('ILLEGAL_GENERATION')) return false
    this.#mustRejoin = true
    return true
  }

  /** Until it has joined with a new id it is nobody: with the coordinator the old identity counts as another process. */
  #forget(reason: string): void {
    this.#options.log.warn(reason)
    this.#memberId = ''
    this.#isJoined = false
  }

  /** A join that fails is still due. */
  async #rejoining(): Promise<void> {
    try {
      await this.#join()
    } catch (error) {
      this.#mustRejoin = true
      throw error
    }
  }

  async #join(): Promise<void> {
    const { clock, groupId, instanceId, sessionTimeoutMs, findTopics, onAssigned, log } = this.#options
    const topics = await findTopics()
    this.#mustRejoin = false
    const link = await this.#link()
    if (this.#isStopped) return
    const metadata = encodeSubscription({ topics, owned: this.#owned, generation: this.#generationId })
    this.#isJoining = true
    const joined = await link
      .call(
        JOIN_GROUP,
        groupId,
        sessionTimeoutMs,
        sessionTimeoutMs,
        this.#memberId,
        instanceId,
        PROTOCOL_TYPE,
        [{ name: PROTOCOL_NAME, metadata }],
        ''
      )
      .catch((error: unknown) => {
        this.#hasLostJoin ||= this.#memberId === ''
        throw error
      })
      .finally(() => {
        this.#isJoining = false
      })
    checkCode(joined.errorCode)
    this.#memberId = joined.memberId
    const isLeader = joined.leader === joined.memberId
    const members = joined.members.map(({ memberId, metadata: bytes }) => ({ memberId, ...decodeSubscription(bytes) }))
    const assignments = isLeader && !joined.skipAssignment ? await this.#dealer.deal(members) : []
    const synced = await link.call(
      SYNC_GROUP,
      groupId,
      joined.generationId,
      this.#memberId,
      instanceId,
      PROTOCOL_TYPE,
      PROTOCOL_NAME,
      assignments
    )
    checkCode(synced.errorCode)
    const { partitions, fingerprint } = decodeAssignment(synced.assignment)
    this.#dealer.remember(isLeader ? { members, fingerprint } : undefined)
    this.#generationId = joined.generationId
    this.#owned = partitions
    this.#isJoined = true
    this.#lastHeartbeatMs = clock.now()
    log.info('joined the group', { groupId, generation: joined.generationId, partitions: partitions.length, isLeader })
    onAssigned(partitions)
    // The group gave back what this process had dealt before it restarted (KIP-814): topics may have changed meanwhile.
    if (isLeader && joined.skipAssignment) await this.checkPartitions()
  }

  async #heartbeat(): Promise<void> {
    const { groupId, instanceId, clock } = this.#options
    const link = await this.#link()
    const { errorCode } = await link.call(HEARTBEAT, groupId, this.#generationId, this.#memberId, instanceId)
    checkCode(errorCode)
    this.#hasLostJoin = false
    this.#lastHeartbeatMs = clock.now()
  }

  async #link(): Promise<Link> {
    const { cluster, groupId } = this.#options
    this.#coordinator ??= await cluster.coordinatorOf(groupId)
    return cluster.coordinatorLink('group', this.#coordinator)
  }

  /**
   * A static member stays in the group until its session ends unless it says so with its instance id (KIP-345), by which
   * alone it is known while it first joins.
   */
  async #leave(): Promise<void> {
    const { cluster, groupId, instanceId, clock, log } = this.#options
    const leave = async (): Promise<void> => {
      const address = this.#coordinator ?? (await cluster.coordinatorOf(groupId))
      // Not on the connection of the group, where a join may be waiting.
      const link = await cluster.coordinatorLink('control', address)
      const members = [{ memberId: this.#memberId, groupInstanceId: instanceId, reason: 'the consumer was stopped' }]
      const answer = await link.call(LEAVE_GROUP, groupId, members)
      try {
        checkCode(answer.errorCode)
        for (const { errorCode } of answer.members ?? []) checkCode(errorCode)
      } catch (error) {
        // The request to join is on another connection, and perhaps behind.
        if (!this.#isJoining || done.signal.aborted || !errorIds(error).has('UNKNOWN_MEMBER_ID')) throw error
        await clock.sleep(LEAVE_RETRY_MS)
        await leave()
      }
    }
    const done = new AbortController()
    const timeout = clock.sleep(LEAVE_TIMEOUT_MS, done.signal).then(() => {
      if (!done.signal.aborted) throw new RetryableError('SourceTrouble', 'the coordinator did not answer in time')
    })
    try {
      await Promise.race([leave(), timeout])
    } catch (error) {
      log.warn('the group could not be left; it takes the partitions back when the session ends', { groupId }, error)
    } finally {
      done.abort()
    }
  }
}
