/** A small Kafka broker of one node, for the demo and for tests only: no replication, no durability promises. */
import { randomUUID } from 'node:crypto'
import { FaultPlan, type Faults } from './faults.ts'
import { Groups } from './groups/groups.ts'
import { Offsets } from './groups/offsets.ts'
import type { PartitionLog } from './log/partition-log.ts'
import { BrokerServer } from './server.ts'
import type { Broker } from './state.ts'
import { type Topic, Topics } from './topics.ts'
import { Transactions } from './transactions.ts'

export interface BrokerOptions {
  /** 0, the default, takes any free port. */
  port?: number
  host?: string
  /** Keeps topics and offsets in this folder; in memory without it. */
  folder?: string
  /** Of topics made without a number; 1. */
  defaultPartitions?: number
  /** Beyond it a partition drops its oldest segments and raises its log start; unlimited without it. */
  retentionBytesPerPartition?: number
  /** Whether asking for a topic's metadata makes it; false. */
  autoCreateTopics?: boolean
  /** User names and passwords: every connection must then authenticate with SASL PLAIN. */
  users?: Readonly<Record<string, string>>
  /** Milliseconds since the epoch, for LogAppendTime. */
  clock?: () => number
}

export interface EmbeddedBroker {
  readonly port: number
  /** `host:port` */
  readonly bootstrap: string
  readonly faults: Faults
  createTopic(name: string, options?: TopicOptions): { topicId: string }
  /** Making it anew gives another topic id. */
  deleteTopic(name: string): void
  addPartitions(name: string, total: number): void
  /** Raises the log start. */
  deleteRecords(topic: string, partition: number, before: number): void
  /** Lowers the log end under a new leader epoch, as an unclean election does. */
  truncate(topic: string, partition: number, to: number): void
  endOffset(topic: string, partition: number): number
  stop(): Promise<void>
}

export interface TopicOptions {
  partitions?: number
  timestampType?: 'CreateTime' | 'LogAppendTime'
}

/** Starts a broker; rejects when the port is taken. */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const { host = '127.0.0.1', folder, defaultPartitions = 1, clock = Date.now } = options
  const faults = new FaultPlan()
  const server = new BrokerServer(faults)
  const port = await server.listen(host, options.port ?? 0)
  const topics = new Topics(folder, options.retentionBytesPerPartition ?? Infinity)
  const groups = new Groups(new Offsets(folder))
  const transactions = new Transactions(topics, groups.offsets, clock)
  const { autoCreateTopics = false, users = {} } = options
  const identity = { nodeId: 1, host, port, clusterId: randomUUID() }
  const settings = { defaultPartitions, autoCreateTopics, users: new Map(Object.entries(users)) }
  const broker: Broker = { ...identity, ...settings, topics, groups, transactions, now: clock }
  server.serve(broker)
  return {
    port,
    bootstrap: `${host}:${port}`,
    faults,
    ...control(broker),
    stop: async () => {
      groups.close()
      await server.stop()
      topics.close()
    }
  }
}

/** What a test or the demo does to a broker from inside its process. */
function control({ topics, groups, defaultPartitions }: Broker) {
  const topicOf = (name: string): Topic => {
    const topic = topics.get(name)
    if (topic === undefined) throw new Error(`the broker has no topic ${name}`)
    return topic
  }
  const logOf = (name: string, partition: number): PartitionLog => {
    const log = topicOf(name).partitions[partition]
    if (log === undefined) throw new Error(`topic ${name} has no partition ${partition}`)
    return log
  }
  return {
    createTopic: (name: string, { partitions = defaultPartitions, timestampType }: TopicOptions = {}) => {
      if (topics.get(name) !== undefined) throw new Error(`the broker has a topic ${name} already`)
      const configs = new Map(timestampType === undefined ? [] : [['message.timestamp.type', timestampType]])
      return { topicId: topics.create(name, partitions, configs).topicId }
    },
    deleteTopic: (name: string) => {
      topics.delete(topicOf(name))
      groups.offsets.deleteTopic(name)
    },
    addPartitions: (name: string, total: number) => topics.addPartitions(topicOf(name), total),
    deleteRecords: (name: string, partition: number, before: number) => logOf(name, partition).deleteBefore(before),
    truncate: (name: string, partition: number, to: number) => logOf(name, partition).truncate(to),
    endOffset: (name: string, partition: number) => logOf(name, partition).end
  }
}
