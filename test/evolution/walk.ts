import assert from 'node:assert/strict'
import { ByteWriter } from '../../consumer/avro/byte-writer.ts'
import { parseSchema } from '../../consumer/avro/parse-schema.ts'
import { valueWriter } from '../../consumer/avro/write-value.ts'
import { planTables, type TablePlan } from '../../consumer/columns/bronze.ts'
import { folded } from '../../consumer/columns/evolve.ts'
import type { Field } from '../../consumer/columns/schema.ts'
import { partitionId, type Partition, type PartitionId } from '../../consumer/partition.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'
import type { CommitAuthor, Sink } from '../../consumer/sink.ts'
import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline, SettledSchema } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { randomFrom } from '../chaos/random.ts'
import { randomRow } from '../fakes/columns.ts'
import { dataBatch, type FakeRecord } from '../fakes/records.ts'
import { compatible, difference, type ReadRow } from './expectation.ts'
import { Pod, type PodWorld } from './pod.ts'
import { avroSchema, avroValue, Versions } from './versions.ts'

/** Where the tables lie, and how another project reads them. */
export interface WalkTables {
  readonly kind: 'delta' | 'iceberg'
  /** `spec.sink`. */
  readonly sink: string
  /** Of the table; the dead letters are in `dlq_…` beside it. */
  readonly table: string
  /** The reader takes null lists and maps for empty ones. */
  readonly emptiesNulls?: boolean
  openSink(member: { plan: TablePlan; pipeline: SettledPipeline; clock: Clock; author: CommitAuthor }): Sink
  read(table: string): Promise<readonly ReadRow[]>
}

export interface WalkOptions {
  readonly seed: number
  readonly steps: number
  readonly onIncompatible: SettledSchema['onIncompatible']
  readonly conflicts: number
}

interface Produced {
  readonly fields: readonly Field[]
  readonly values: Readonly<Record<string, unknown>>
}

interface Log {
  readonly partition: Partition
  readonly batches: RecordBatch[]
  /** By offset; undefined for a tombstone. */
  readonly produced: (Produced | undefined)[]
}

export interface WalkOutcome {
  readonly rows: number
  readonly deadLetters: number
  readonly versions: number
  readonly columns: number
}

const PARTITIONS = 4
const PODS = 3
/** Long ago: a catalog has its own clock, and time here runs faster. */
const START_MS = Date.UTC(2026, 0, 1, 12)

const MANIFEST = ({ sink, table }: WalkTables, { onIncompatible }: WalkOptions) => `
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: walk, namespace: test}
spec:
  source: {bootstrapServers: ["walk:9092"], schemaRegistry: {url: "http://registry"}}
  topics:
  - {name: events, table: ${table}, format: Avro, schema: {onIncompatible: ${onIncompatible}}}
  batch: {triggerInterval: 1s}
  sink: ${sink}
`

/**
 * Producers that change their schema at every step, and pods that take turns, die and hand partitions over: every row
 * is then where it belongs, with every value. Throws what ends a pod.
 */
export async function walk(tables: WalkTables, options: WalkOptions): Promise<WalkOutcome> {
  const world = new Walk(tables, options)
  await world.run()
  return await world.verify()
}

class Walk {
  readonly #tables: WalkTables
  readonly #options: WalkOptions
  readonly #random: () => number
  readonly #versions: Versions
  readonly #logs = new Map<PartitionId, Log>()
  readonly #schemas = new Map<number, string>()
  readonly #world: PodWorld
  #pods: Pod[] = []
  #nextPod = 0
  readonly #owners = new Map<PartitionId, Pod>()

  constructor(tables: WalkTables, options: WalkOptions) {
    this.#tables = tables
    this.#options = options
    this.#random = randomFrom(options.seed, 31)
    this.#versions = new Versions(this.#random, { conflicts: options.conflicts })
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const each = { topic: 'events', topicId: 'events-id', partition }
      this.#logs.set(partitionId(each), { partition: each, batches: [], produced: [] })
    }
    const { pipelines, problems } = readPipelines(MANIFEST(tables, options), 'walk')
    assert.deepEqual(problems, [])
    const pipeline = settle(pipelines[0] as (typeof pipelines)[number])
    const [plan] = planTables(pipeline)
    assert.ok(plan !== undefined)
    const clock = new WalkClock(randomFrom(options.seed, 32))
    const openSink = (author: CommitAuthor) => tables.openSink({ plan, pipeline, clock, author })
    this.#world = { plan, pipeline, clock, logs: this.#logs, schemas: this.#schemas, openSink }
  }

  async run(): Promise<void> {
    this.#register(this.#versions.all[0] ?? [])
    for (let pod = 0; pod < PODS; pod++) this.#start()
    for (const id of this.#logs.keys()) this.#give(id, this.#pick(this.#pods))
    for (let step = 0; step < this.#options.steps; step++) {
      this.#register(this.#versions.step())
      const batches = 1 + Math.floor(this.#random() * 3)
      for (let batch = 0; batch < batches; batch++) this.#produce(this.#pick([...this.#logs.values()]))
      await this.#disturb()
      for (const pod of this.#pods) if (this.#random() < 0.5) await pod.work(this.#random() < 0.4)
    }
    for (const pod of this.#pods) await pod.work(true)
    for (const pod of this.#pods) await pod.close()
  }

  #register(fields: readonly Field[]): void {
    this.#schemas.set(this.#schemas.size + 1, JSON.stringify(avroSchema(fields)))
  }

  /** Mostly of the newest version; producers that are not rolled over yet have older ones. */
  #produce(log: Log): void {
    const base = log.produced.length
    const records = Array.from({ length: 1 + Math.floor(this.#random() * 4) }, (): FakeRecord => {
      const newest = this.#versions.all.length - 1
      const version = this.#random() < 0.7 ? newest : Math.max(0, newest - Math.floor(this.#random() * 5))
      if (this.#random() < 0.03) {
        log.produced.push(undefined)
        return { key: 'k', value: null, timestampMs: START_MS }
      }
      const fields = this.#versions.all[version] ?? []
      const values = texts(fields, randomRow({ fields, partitionBy: [] }, this.#random))
      log.produced.push({ fields, values })
      return { key: 'k', value: this.#encoded(version + 1, fields, values), timestampMs: START_MS }
    })
    log.batches.push(dataBatch(log.partition, base, records))
  }

  #encoded(id: number, fields: readonly Field[], values: Readonly<Record<string, unknown>>): Buffer {
    const type = parseSchema(this.#schemas.get(id) ?? '', [])
    const writer = new ByteWriter()
    valueWriter(type)(writer, avroValue({ struct: fields }, values))
    const frame = Buffer.alloc(5)
    frame.writeUInt32BE(id, 1)
    return Buffer.concat([frame, Buffer.from(writer.view())])
  }

  async #disturb(): Promise<void> {
    const roll = this.#random()
    if (roll < 0.15) {
      const id = this.#pick([...this.#logs.keys()])
      this.#owners.get(id)?.revoke(id)
      this.#give(id, this.#pick(this.#pods))
    } else if (roll < 0.22) {
      // Nobody closes what dies.
      const dead = this.#pick(this.#pods)
      this.#pods = this.#pods.filter(pod => pod !== dead)
      const heir = this.#start()
      for (const [id, owner] of this.#owners) if (owner === dead) this.#give(id, heir)
    }
  }

  #start(): Pod {
    const pod = new Pod(this.#world, `pod-${this.#nextPod++}`)
    this.#pods.push(pod)
    return pod
  }

  #give(id: PartitionId, pod: Pod): void {
    this.#owners.set(id, pod)
    pod.assign(id)
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T
  }

  async verify(): Promise<WalkOutcome> {
    const { table, kind, emptiesNulls = false } = this.#tables
    const rows = await this.#tables.read(table)
    const dead = await this.#tables.read(table.replace(/[^.]+$/, name => `dlq_${name}`))
    const own = new Set(this.#world.plan.schema.fields.map(({ name }) => folded(name)))
    const found = new Map(rows.map(row => [placeOf(row), row]))
    const lost = new Map(dead.map(row => [placeOf(row), row]))
    assert.equal(found.size, rows.length, 'no row is there twice')
    assert.equal(lost.size, dead.length, 'no dead letter is there twice')
    const columns = new Set<string>()
    for (const { partition, produced } of this.#logs.values()) {
      for (const [offset, expected] of produced.entries()) {
        const place = `${partition.partition}-${offset}`
        const [row, letter] = [found.get(place), lost.get(place)]
        assert.ok((row === undefined) !== (letter === undefined), `${place} is in one of both tables`)
        if (row === undefined) {
          assert.ok(this.#options.onIncompatible === 'DeadLetter', `${place} has its row: ${String(letter?.['error'])}`)
          assert.equal(letter?.['reason'], 's:IncompatibleSchema')
          assert.ok(expected !== undefined && this.#mayConflict(expected), `${place}: ${String(letter['error'])}`)
          continue
        }
        for (const [name, value] of Object.entries(row)) if (value !== null) columns.add(name)
        const { fields, values } = expected ?? { fields: [], values: {} }
        const wrong = difference({ kind, emptiesNulls, fields, values }, row, own)
        assert.equal(wrong, undefined, `seed ${this.#options.seed}, ${place}: ${wrong}`)
      }
    }
    assert.equal(
      rows.length + dead.length,
      [...this.#logs.values()].reduce((sum, log) => sum + log.produced.length, 0)
    )
    return { rows: rows.length, deadLetters: dead.length, versions: this.#schemas.size, columns: columns.size }
  }

  /** Whether some other version has a field of the same name that cannot share its column. */
  #mayConflict({ fields }: Produced): boolean {
    const names = fields.map(({ name }) => folded(name))
    const own = this.#world.plan.schema.fields.map(({ name }) => folded(name))
    if (names.some((name, index) => own.includes(name) || names.indexOf(name) !== index)) return true
    return this.#versions.all.some(other => !compatible({ struct: fields }, { struct: other }))
  }
}

const placeOf = (row: ReadRow): string =>
  `${String(row['_kafka_partition'])}-${String(row['_kafka_offset'])}`.replaceAll('i:', '')

/** UUIDs are text in Avro. */
function texts(fields: readonly Field[], values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, type }) => [name, textOf(type, values[name])]))
}

function textOf(type: Field['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'uuid' && Buffer.isBuffer(value))
    return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  if (typeof type === 'string') return value
  if ('struct' in type) return texts(type.struct, value as Record<string, unknown>)
  if ('list' in type) return (value as readonly unknown[]).map(item => textOf(type.list, item))
  if (!('map' in type)) return value
  return new Map([...(value as ReadonlyMap<string, unknown>)].map(([key, item]) => [key, textOf(type.map.value, item)]))
}

/** Time passes when it is told to; waiting takes none. */
class WalkClock implements Clock {
  readonly random: () => number
  #nowMs = START_MS

  constructor(random: () => number) {
    this.random = random
  }

  now(): number {
    return this.#nowMs
  }

  pass(ms: number): void {
    this.#nowMs += ms
  }

  async sleep(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
  }
}
