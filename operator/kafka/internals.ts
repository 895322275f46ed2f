import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { newer, type NewerRequest } from './newer-requests.ts'
import './untrusted-brokers.ts'

/**
 * The part of kafkajs below its public face. Its admin client cannot ask for the last stable offset, asks for one topic at a
 * time, and gives up on a whole answer when one partition of it has an error; its own request encoders do better.
 * The version of kafkajs is pinned, and tests on a real broker hold this file to it.
 */
export interface Cluster {
  readonly brokerPool: BrokerPool
  connect(): Promise<void>
  disconnect(): Promise<void>
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>
}

interface BrokerPool {
  createBroker: (options: object) => Broker
  readonly metadata: Metadata | null
  /** By node id. */
  readonly brokers: Readonly<Record<string, Broker>>
  /** Connected; throws for a node that the last metadata did not name. */
  findBroker(node: { nodeId: number }): Promise<Broker>
  /** With no topics: all that we may see. */
  refreshMetadata(topics: readonly string[]): Promise<void>
}

export interface Broker {
  metadata: (topics: readonly string[]) => Promise<Metadata>
  isConnected(): boolean
  /** What it understands, by API key; null until it was connected to. */
  readonly versions: Readonly<Record<string, { readonly maxVersion: number }>> | null
  /** Usable once connected: the newest version of a request that both sides know. */
  readonly lookupRequest: (apiKey: number, versions: Versions) => (body: object) => Request
  readonly connectionPool: { send(request: Request): Promise<unknown> }
}

export interface Metadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topicMetadata: readonly TopicMetadata[]
}

export interface TopicMetadata {
  readonly topic: string
  readonly errorCode: number
  readonly isInternal: boolean
  /** Node id of each partition's leader; -1 when it has none. */
  readonly leaders: readonly number[]
}

/** As kafkajs decodes it, replicas and all. */
interface DecodedMetadata {
  readonly brokers: Metadata['brokers']
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly isInternal?: boolean
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
  }[]
}

interface Request {
  readonly request: object
  readonly response: { readonly decode: unknown; readonly parse: (decoded: unknown) => Promise<unknown> }
}

interface Versions {
  readonly versions: readonly string[]
}

const load = createRequire(import.meta.url)
const { requests } = load('kafkajs/src/protocol/requests') as { requests: Readonly<Record<string, Versions>> }
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys') as Readonly<Record<string, number>>
const { prototype: queue } = load('kafkajs/src/network/requestQueue') as {
  prototype: { scheduleCheckPendingRequests: (this: { readonly pending: readonly unknown[] }) => void }
}

// Without this each connection looks at its empty queue once a millisecond for ever, by a timer with a negative time.
const schedule = queue.scheduleCheckPendingRequests
queue.scheduleCheckPendingRequests = function scheduleWhatWaits() {
  if (this.pending.length > 0) schedule.call(this)
}

type CreateCluster = (options: { allowAutoTopicCreation: false; metadataMaxAge: number }) => Cluster

/** A cluster whose brokers give errors of topics and partitions as values. Not connected yet. */
export function createCluster(kafka: Kafka): Cluster {
  const key = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.endsWith('createCluster'))
  const create = (kafka as unknown as Record<symbol, CreateCluster | undefined>)[key ?? Symbol('none')]
  if (create === undefined) throw new Error('this version of kafkajs has no createCluster')
  const cluster = create({ allowAutoTopicCreation: false, metadataMaxAge: 0 })
  const { brokerPool } = cluster
  const createBroker = brokerPool.createBroker
  brokerPool.createBroker = options => {
    const broker = createBroker(options)
    broker.metadata = async topics =>
      slim((await send(broker, 'Metadata', { topics, allowAutoTopicCreation: false })) as DecodedMetadata)
    return broker
  }
  return cluster
}

/** kafkajs keeps the last one: without replicas and without objects for partitions it is small. */
function slim({ topicMetadata, ...rest }: DecodedMetadata): Metadata {
  return {
    ...rest,
    topicMetadata: topicMetadata.map(({ topic, topicErrorCode: errorCode, isInternal = false, partitionMetadata }) => {
      const leaders = partitionMetadata.map(() => -1)
      for (const { partitionId, leader } of partitionMetadata) {
        // Partitions are counted from 0 without gaps; one number far out would make a list of billions.
        if (partitionId in leaders) leaders[partitionId] = leader
      }
      return { topic, errorCode, isInternal, leaders }
    })
  }
}

/** Sends one request and gives the decoded answer as it is, error codes included. */
export async function send(
  broker: Broker,
  api:
    | 'Metadata'
    | 'ListOffsets'
    | 'GroupCoordinator'
    | 'OffsetFetch'
    | 'OffsetCommit'
    | 'DescribeGroups'
    | 'DeleteGroups',
  body: object
): Promise<unknown> {
  const [apiKey, versions] = [apiKeys[api], requests[api]]
  if (apiKey === undefined || versions === undefined) throw new Error(`this version of kafkajs has no ${api}`)
  const { request, response } = broker.lookupRequest(apiKey, versions)(body)
  return broker.connectionPool.send({ request, response: { ...response, parse: async decoded => decoded } })
}

/** Whether the broker, once connected, understands a request. */
export const understands = ({ versions }: Broker, { apiKey, version }: NewerRequest<never, unknown>): boolean =>
  (versions?.[apiKey]?.maxVersion ?? -1) >= version

/** Sends a request that kafkajs does not know. */
export async function sendNewer<Body, Answer>(
  broker: Broker,
  request: NewerRequest<Body, Answer>,
  body: Body
): Promise<Answer> {
  const { request: encoded, response } = newer(request, body)
  const decoded = response.decode.bind(response)
  const answer = { decode: decoded, parse: async (parsed: unknown) => parsed }
  return (await broker.connectionPool.send({ request: encoded, response: answer })) as Answer
}
