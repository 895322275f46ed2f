import type { TablePlan } from '../../consumer/columns/bronze.ts'
import { dialectOf } from '../../consumer/columns/dialect.ts'
import { AvroSchemas } from '../../consumer/decode/avro-reader.ts'
import type { Pending } from '../../consumer/decode/value-reader.ts'
import { silentObserver } from '../../consumer/observer.ts'
import type { Partition, PartitionId } from '../../consumer/partition.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'
import type { Found, SchemaRegistry } from '../../consumer/registry/schema-registry.ts'
import type { CommitAuthor, Sink } from '../../consumer/sink.ts'
import { TableWriter } from '../../consumer/table-writer.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { invariant } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'

/** What all pods share. */
export interface PodWorld {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly clock: Clock & { pass(ms: number): void }
  readonly logs: ReadonlyMap<PartitionId, { readonly partition: Partition; readonly batches: readonly RecordBatch[] }>
  /** Texts of schemas by their ids. */
  readonly schemas: ReadonlyMap<number, string>
  openSink(author: CommitAuthor): Sink
}

const MAX_ROUNDS = 60
const LONG_MS = 60_000

/** One consumer: the real writer of a table, fed by hand. */
export class Pod {
  readonly #world: PodWorld
  readonly #writer: TableWriter
  readonly #sink: Sink
  readonly #owned = new Set<PartitionId>()
  /** Where to go on, as the writer sought. */
  readonly #positions = new Map<PartitionId, number>()

  constructor(world: PodWorld, name: string) {
    this.#world = world
    const author = { pipeline: 'test/walk', createdAt: undefined, consumerId: name }
    this.#sink = world.openSink(author)
    const schemas = new AvroSchemas(new SlowRegistry(world.schemas), dialectOf(world.pipeline.sink.kind))
    this.#writer = new TableWriter(world.plan, world.pipeline, author, {
      sink: this.#sink,
      clock: world.clock,
      log: silentLog,
      observer: silentObserver,
      source: {
        resolveStart: async () => new Map([...world.logs.values()].map(({ partition }) => [partition.partition, 0])),
        resolveEnds: async () => new Map(),
        logStarts: async () => new Map(),
        reported: async () => new Map()
      },
      readerFor: (_, { topic }) => schemas.reader(topic),
      seek: positions => {
        for (const [id, offset] of positions) this.#positions.set(id, offset)
      },
      report: async () => {},
      sendDeadLetters: async () => {}
    })
  }

  assign(id: PartitionId): void {
    const [entry] = this.#world.pipeline.topics
    const log = this.#world.logs.get(id)
    invariant(entry !== undefined && log !== undefined, `${id} is there`)
    this.#owned.add(id)
    this.#writer.assign(log.partition, entry)
  }

  revoke(id: PartitionId): void {
    this.#owned.delete(id)
    this.#positions.delete(id)
    this.#writer.revoke(id)
  }

  /** Takes in what its partitions have; commits it too, or leaves that for later. Throws what ends a consumer. */
  async work(commits: boolean): Promise<void> {
    const { clock } = this.#world
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.#writer.tick(clock.now())
      await this.#writer.settled()
      if (this.#writer.failure !== undefined) throw this.#writer.failure
      const isMoving = this.#feed()
      // Schemas are looked up meanwhile.
      await new Promise(resolve => setImmediate(resolve))
      const isWaiting = this.#writer.slots().some(({ place }) => place === undefined || place.blocked !== undefined)
      if (isMoving || isWaiting) clock.pass(commits ? LONG_MS : 50)
      else if (!commits || this.#isCommitted()) return
      else clock.pass(LONG_MS)
    }
    throw new Error(
      `a pod does not come to rest: ${this.#writer
        .slots()
        .map(({ id, place }) => `${id} ${place?.nextOffset}`)
        .join(' ')}`
    )
  }

  async close(): Promise<void> {
    await this.#writer.settled()
    await this.#sink.close()
  }

  #feed(): boolean {
    let isMoving = false
    for (const id of this.#owned) {
      const log = this.#world.logs.get(id)
      for (const batch of log?.batches ?? []) {
        const position = this.#positions.get(id)
        if (position === undefined || batch.nextOffset <= position) continue
        if (!this.#writer.isOpen(id)) break
        this.#positions.set(id, batch.nextOffset)
        this.#writer.append(batch)
        isMoving = true
      }
    }
    return isMoving
  }

  #isCommitted(): boolean {
    return this.#writer.slots().every(({ id, place }) => {
      const end = this.#world.logs.get(id)?.batches.at(-1)?.nextOffset ?? 0
      return place?.expectedOffset !== undefined && place.expectedOffset >= end
    })
  }
}

/** Knows every schema, but only when it is asked for the second time. */
class SlowRegistry implements SchemaRegistry {
  readonly #schemas: ReadonlyMap<number, string>
  readonly #asked = new Set<number>()

  constructor(schemas: ReadonlyMap<number, string>) {
    this.#schemas = schemas
  }

  lookUp(id: number): Found | Pending | undefined {
    const text = this.#schemas.get(id)
    if (text === undefined) return undefined
    if (!this.#asked.has(id)) {
      this.#asked.add(id)
      return { ready: new Promise(resolve => setImmediate(resolve)), trouble: undefined }
    }
    return { id, type: 'AVRO', text, references: [], version: () => id }
  }

  close(): void {}
}
