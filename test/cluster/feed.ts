import { setTimeout as wait } from 'node:timers/promises'
import { encodeBatch } from '../../cli/demo/batch-encoder.ts'
import { DemoProducer } from '../../cli/demo/producer.ts'

const PARTITIONS = 3
const INTERVAL_MS = 200
const RECORDS = 10
const MAX_ATTEMPTS = 150
const BACKLOG_RECORDS = 1000

/** Writes records into topics of three partitions each, and knows how many the broker has acknowledged. */
export class Feed {
  #producer: DemoProducer
  readonly #bootstrap: string
  readonly #topics: readonly string[]
  readonly #counts = new Map<string, number>()
  #feeding: Promise<void> | undefined
  #isEnding = false
  #next = 0

  private constructor(producer: DemoProducer, bootstrap: string, topics: readonly string[]) {
    this.#producer = producer
    this.#bootstrap = bootstrap
    this.#topics = topics
  }

  static async connect(bootstrap: string, topics: readonly string[]): Promise<Feed> {
    return new Feed(await connect(bootstrap), bootstrap, topics)
  }

  /** After a restart of the broker, while it is stopped. */
  async reconnect(): Promise<void> {
    this.close()
    this.#producer = await connect(this.#bootstrap)
  }

  /** Records of a topic so far. */
  count(topic: string): number {
    return this.#counts.get(topic) ?? 0
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Writes `batches` of a thousand records to each partition, 400 bytes a record; half of the topics are compressed. */
  async backlog(batches: number): Promise<void> {
    for (let batch = 0; batch < batches; batch++) {
      for (const [index, topic] of this.#topics.entries()) {
        const bytes = this.#batch(BACKLOG_RECORDS, 350, index % 2 === 0 ? 'none' : 'zstd')
        for (let partition = 0; partition < PARTITIONS; partition++) {
          await this.#send(topic, partition, bytes)
          this.#counts.set(topic, this.count(topic) + BACKLOG_RECORDS)
        }
      }
    }
  }

  /** Writes 400 records a second until it is stopped. */
  start(): void {
    this.#isEnding = false
    this.#feeding = this.#run()
    // Whoever stops it learns of its trouble.
    this.#feeding.catch(() => {})
  }

  /** Throws when the broker has refused a record. */
  async stop(): Promise<void> {
    this.#isEnding = true
    await this.#feeding
  }

  close(): void {
    this.#producer.close()
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isEnding; turn++) {
      for (const topic of this.#topics) {
        await this.#send(topic, turn % PARTITIONS, this.#batch(RECORDS, 20, 'none'))
        this.#counts.set(topic, this.count(topic) + RECORDS)
      }
      await wait(INTERVAL_MS)
    }
  }

  /** A broker that has just come back refuses for a while; what it refuses it has not written. */
  async #send(topic: string, partition: number, batch: Buffer): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#producer.send(topic, partition, batch)
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !String(error).includes('refused')) throw error
        await wait(INTERVAL_MS)
      }
    }
  }

  #batch(count: number, noteBytes: number, codec: 'none' | 'zstd'): Buffer {
    const note = Array.from({ length: noteBytes }, (_, index) => String.fromCharCode(97 + ((index * 7) % 26))).join('')
    const records = Array.from({ length: count }, () => {
      const id = this.#next++
      return {
        key: String(id),
        value: Buffer.from(JSON.stringify({ id, note })),
        timestampMs: Date.now(),
        headers: {}
      }
    })
    return encodeBatch(records, codec)
  }
}

function connect(bootstrap: string): Promise<DemoProducer> {
  const [host = '', port = ''] = bootstrap.split(':')
  return DemoProducer.connect(host, Number(port))
}
