import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogFolder } from './log/log-folder.ts'
import { PartitionLog } from './log/partition-log.ts'

export interface Topic {
  readonly name: string
  readonly topicId: string
  readonly partitions: PartitionLog[]
  /** Settings as they were given; the broker itself acts on `message.timestamp.type` and `retention.bytes`. */
  readonly configs: ReadonlyMap<string, string>
}

const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/

export const isLegalTopicName = (name: string): boolean => LEGAL_NAME.test(name) && name !== '.' && name !== '..'

export const hasLogAppendTime = (topic: Topic): boolean =>
  topic.configs.get('message.timestamp.type') === 'LogAppendTime'

/** The topics by name and by id; with a folder, they are there again after a restart. */
export class Topics {
  #byName = new Map<string, Topic>()
  #byId = new Map<string, Topic>()
  #folder: string | undefined
  #retentionBytes: number

  constructor(folder: string | undefined, retentionBytes: number) {
    this.#folder = folder === undefined ? undefined : join(folder, 'topics')
    this.#retentionBytes = retentionBytes
    if (this.#folder === undefined || !existsSync(this.#folder)) return
    for (const topicId of readdirSync(this.#folder)) {
      const text = readFileSync(join(this.#folder, topicId, 'topic.json'), 'utf8')
      const kept = JSON.parse(text) as { name: string; partitions: number; configs: Record<string, string> }
      this.#open(kept.name, topicId, kept.partitions, new Map(Object.entries(kept.configs)))
    }
  }

  all(): Iterable<Topic> {
    return this.#byName.values()
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  withId(topicId: string): Topic | undefined {
    return this.#byId.get(topicId)
  }

  log(name: string, partition: number): PartitionLog | undefined {
    return this.#byName.get(name)?.partitions[partition]
  }

  create(name: string, partitions: number, configs: ReadonlyMap<string, string> = new Map()): Topic {
    const topic = this.#open(name, randomUUID(), partitions, configs)
    this.#save(topic)
    return topic
  }

  addPartitions(topic: Topic, total: number): void {
    while (topic.partitions.length < total)
      topic.partitions.push(this.#log(topic.topicId, topic.partitions.length, topic.configs))
    this.#save(topic)
  }

  delete(topic: Topic): void {
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.topicId)
    for (const log of topic.partitions) log.drop()
    if (this.#folder !== undefined) rmSync(join(this.#folder, topic.topicId), { recursive: true, force: true })
  }

  close(): void {
    for (const topic of this.all()) for (const log of topic.partitions) log.close()
  }

  #open(name: string, topicId: string, count: number, configs: ReadonlyMap<string, string>): Topic {
    const partitions = Array.from({ length: count }, (_, index) => this.#log(topicId, index, configs))
    const topic = { name, topicId, partitions, configs }
    this.#byName.set(name, topic)
    this.#byId.set(topicId, topic)
    return topic
  }

  #log(topicId: string, partition: number, configs: ReadonlyMap<string, string>): PartitionLog {
    const own = Number(configs.get('retention.bytes') ?? -1)
    return new PartitionLog({
      retentionBytes: own >= 0 ? own : this.#retentionBytes,
      folder: this.#folder === undefined ? undefined : new LogFolder(join(this.#folder, topicId, String(partition)))
    })
  }

  #save({ name, topicId, partitions, configs }: Topic): void {
    if (this.#folder === undefined) return
    mkdirSync(join(this.#folder, topicId), { recursive: true })
    const kept = { name, partitions: partitions.length, configs: Object.fromEntries(configs) }
    writeFileSync(join(this.#folder, topicId, 'topic.json'), JSON.stringify(kept))
  }
}
