import { Admin, Producer } from '@platformatic/kafka'

/** A cluster the source's laws are run against: the embedded broker or a real one, both through their wire protocol. */
export class TestCluster {
  readonly bootstrap: string
  readonly #admin: Admin
  readonly #producer: Producer

  constructor(bootstrap: string) {
    this.bootstrap = bootstrap
    const options = { clientId: 'test', bootstrapBrokers: [bootstrap], retries: 20, retryDelay: 100 }
    this.#admin = new Admin(options)
    this.#producer = new Producer(options)
  }

  /** Without retention by time: some laws produce records of long ago. */
  async createTopic(topic: string, partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = Object.entries({ 'retention.ms': '-1', ...configs }).map(([name, value]) => ({ name, value }))
    await this.#admin.createTopics({ topics: [{ topic, partitions, replicas: 1 }], configs: settings })
    await this.#untilKnown(topic)
  }

  /** A busy broker answers for a while as if a topic that was just made were not there. */
  async #untilKnown(topic: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#admin.metadata({ topics: [topic], forceUpdate: true })
        return
      } catch (error) {
        if (attempt === 50) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] })
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topics: [{ name: topic, count }] })
  }

  /** Members of a group, those included that have asked to join. */
  async countMembers(group: string): Promise<number> {
    return (await this.#admin.describeGroups({ groups: [group] })).get(group)?.members.size ?? 0
  }

  /** Takes a member out of its group, as the end of its session does. */
  async removeMember(group: string, clientId: string): Promise<void> {
    const members = (await this.#admin.describeGroups({ groups: [group] })).get(group)?.members.values() ?? []
    const ids = [...members].filter(member => member.clientId === clientId).map(({ id }) => ({ memberId: id }))
    await this.#admin.removeMembersFromConsumerGroup({ groupId: group, members: ids })
  }

  /** Raises the log start to `before`. */
  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.#admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(before) }] }] })
  }

  async produce(
    topic: string,
    partition: number,
    values: readonly (string | null)[],
    compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' = 'none',
    timestampMs?: number
  ): Promise<void> {
    // A topic that was just made, or made anew, is not known to every part of a broker at once.
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#producer.send({ compression, acks: -1, messages: messages(topic, partition, values, timestampMs) })
        return
      } catch (error) {
        if (attempt === 30) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  /** Sends `values` in one transaction and ends it as told. */
  async transact(
    transactionalId: string,
    topic: string,
    values: readonly string[],
    end: 'commit' | 'abort'
  ): Promise<void> {
    const producer = new Producer({
      clientId: 'test',
      bootstrapBrokers: [this.bootstrap],
      transactionalId,
      idempotent: true,
      retries: 20,
      retryDelay: 100
    })
    try {
      const transaction = await producer.beginTransaction()
      await transaction.send({ messages: messages(topic, 0, values) })
      await transaction[end]()
    } finally {
      await producer.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin.close(), this.#producer.close()])
  }
}

function messages(topic: string, partition: number, values: readonly (string | null)[], timestampMs?: number) {
  return values.map((value, index) => ({
    topic,
    partition,
    key: Buffer.from(`key-${index}`),
    ...(value === null ? {} : { value: Buffer.from(value) }),
    ...(timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) })
  }))
}
