import { type API, findCoordinatorV3, findCoordinatorV4, metadataV12, metadataV9 } from '@platformatic/kafka'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import type { BrokerAddress, Connections, Link, Purpose } from './connections.ts'
import { checkCode, sourceError } from './trouble.ts'

export interface TopicMetadata {
  readonly name: string
  /** A UUID; empty when the brokers have no topic ids. */
  readonly topicId: string
  readonly partitions: readonly PartitionMetadata[]
}

export interface PartitionMetadata {
  /** Node id; -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
}

const NO_TOPIC_ID = '00000000-0000-0000-0000-000000000000'
const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_TOPIC = 17
const TOPIC_AUTHORIZATION_FAILED = 29
const GROUP_COORDINATOR = 0

type MetadataApi = typeof metadataV12.api
type MetadataTopic = Awaited<ReturnType<MetadataApi['async']>>['topics'][number]
/** The newer of the two has topic ids; their arguments are the same. */
const METADATA: readonly [MetadataApi, MetadataApi] = [metadataV12.api, metadataV9.api]
const FIND_COORDINATOR = [findCoordinatorV4.api, findCoordinatorV3.api] as const

/** What is known of the cluster: brokers, topics, leaders, coordinators; and how to reach each. */
export class Cluster {
  readonly #connections: Connections
  readonly #bootstrap: readonly BrokerAddress[]
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map()
  #topics = new Map<string, TopicMetadata>()

  constructor(connections: Connections, bootstrapServers: readonly string[]) {
    this.#connections = connections
    this.#bootstrap = bootstrapServers.map(parseAddress)
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** The node that leads a partition, or undefined while there is none known. */
  leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#topics.get(topic)?.partitions[partition]?.leader
    return leader === undefined || leader < 0 ? undefined : leader
  }

  /**
   * Asks for the topics named, or for all with `null`, and remembers the answer. Topics that do not exist are absent
   * from the result; what was known of them is forgotten. Throws RetryableError or FatalError.
   */
  async describe(names: readonly string[] | null): Promise<ReadonlyMap<string, TopicMetadata>> {
    const response = await this.callAny(METADATA, names === null ? null : [...names], false, false)
    this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const found = new Map<string, TopicMetadata>()
    for (const topic of response.topics) {
      const { name, errorCode } = topic
      if (typeof name !== 'string' || topic.isInternal || errorCode === UNKNOWN_TOPIC_OR_PARTITION) continue
      if (names !== null) checkReadable(name, errorCode)
      else if (errorCode === TOPIC_AUTHORIZATION_FAILED || errorCode === INVALID_TOPIC) continue
      found.set(name, this.#merge(topic, name))
    }
    for (const name of names ?? this.#topics.keys()) if (!found.has(name)) this.#topics.delete(name)
    for (const [name, topic] of found) this.#topics.set(name, topic)
    return found
  }

  /** A broker that lags behind may name a leader that was replaced already: the younger epoch stays. */
  #merge({ topicId, partitions }: MetadataTopic, name: string): TopicMetadata {
    const id = topicId === NO_TOPIC_ID ? '' : topicId
    const known = this.#topics.get(name)
    const merged: PartitionMetadata[] = []
    for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
      const before = known?.topicId === id ? known.partitions[partitionIndex] : undefined
      merged[partitionIndex] =
        before !== undefined && before.leaderEpoch > leaderEpoch ? before : { leader: leaderId, leaderEpoch }
    }
    return {
      name,
      topicId: id,
      partitions: Array.from(merged, partition => partition ?? { leader: -1, leaderEpoch: -1 })
    }
  }

  /** Sends a request to whichever broker answers, those known first, then the bootstrap servers. */
  async callAny<Args extends unknown[], Result>(
    candidates: readonly [API<Args, Result>, ...API<Args, Result>[]],
    ...args: Args
  ): Promise<Result> {
    let trouble: unknown
    for (const address of this.#addresses()) {
      try {
        const link = await this.#connections.get('control', address)
        return await link.call(candidates, ...args)
      } catch (error) {
        const found = sourceError(error)
        // The most telling error wins: refused credentials over a broker that is away.
        if (!(found instanceof RetryableError) || trouble === undefined) trouble = found
        if (!(found instanceof RetryableError) && !(found instanceof FatalError)) break
      }
    }
    throw trouble
  }

  #addresses(): readonly BrokerAddress[] {
    const known = [...this.#brokers.values()]
    const isKnown = (address: BrokerAddress) =>
      known.some(({ host, port }) => host === address.host && port === address.port)
    return [...known, ...this.#bootstrap.filter(address => !isKnown(address))]
  }

  /** A connection to node `nodeId`. RetryableError when the cluster no longer names such a broker. */
  async link(purpose: Purpose, nodeId: number): Promise<Link> {
    const address = this.#brokers.get(nodeId)
    if (address === undefined)
      throw new RetryableError('SourceUnreachable', `broker ${nodeId} is not in the cluster now`)
    return this.#connections.get(purpose, address)
  }

  /** The address of the coordinator of a group. Throws RetryableError while there is none. */
  async coordinatorOf(groupId: string): Promise<BrokerAddress> {
    const [coordinator] = (await this.callAny(FIND_COORDINATOR, GROUP_COORDINATOR, [groupId])).coordinators
    if (coordinator === undefined) throw new RetryableError('SourceTrouble', 'the group has no coordinator yet')
    checkCode(coordinator.errorCode)
    return { host: coordinator.host, port: coordinator.port }
  }

  /** A connection to the coordinator at `address`. */
  coordinatorLink(purpose: Purpose, address: BrokerAddress): Promise<Link> {
    return this.#connections.get(purpose, address)
  }
}

function checkReadable(topic: string, errorCode: number): void {
  if (errorCode === TOPIC_AUTHORIZATION_FAILED) {
    throw new FatalError(
      'SourceAuthorizationFailed',
      `The user of spec.source.security may not read topic ${topic}: allow Read and Describe on it.`
    )
  }
  if (errorCode === INVALID_TOPIC) {
    throw new FatalError('TopicInvalid', `${topic} in spec.topics can never be the name of a Kafka topic.`)
  }
}

/** `host:port`, with an IPv6 host in brackets. */
function parseAddress(server: string): BrokerAddress {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(server) ?? []
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) }
  throw new FatalError('BootstrapServerInvalid', `${server} in spec.source.bootstrapServers is not host:port.`)
}
