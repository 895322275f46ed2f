import { openValueReaders } from '../../consumer/decode/value-readers.ts'
import { ingest } from '../../consumer/ingest.ts'
import { silentObserver } from '../../consumer/observer.ts'
import type { PartitionId } from '../../consumer/partition.ts'
import type { Sink } from '../../consumer/sink.ts'
import type { Source } from '../../consumer/source.ts'
import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { jsonLog, silentLog, type Log } from '../../lib/log.ts'
import { FaultyCalls, type FaultPlan } from './faulty-calls.ts'
import { SimulatedGroup, fieldsAt } from './group.ts'
import { ProcessClock, Scheduler } from './scheduler.ts'
import { sinkOf, tablesOf, type ServerBugs, type SimulatedTables, type SinkKind } from './tables.ts'

/** Bugs put in on purpose, to see that the simulation finds them. */
export interface PlantedBugs extends ServerBugs {
  readonly source?: (source: Source) => Source
  readonly sink?: (sink: Sink) => Sink
}

export interface SimulationOptions {
  /** By default as `sinkOf` has it. */
  readonly sink?: SinkKind
  readonly bugs?: PlantedBugs
  /** Topics are read up to an end: one to an offset that may lie within a batch, one to a time. */
  readonly ends?: boolean
  readonly trace?: (line: string) => void
}

export interface Outcome {
  readonly records: number
  readonly deadLetters: number
  readonly commits: number
  readonly faults: number
  readonly kills: number
  readonly stops: number
  readonly rebalances: number
}

const CHAOS_MS = 5000
const QUIET_MS = 40_000
const MAX_STEPS = 60_000
const PRODUCED_PER_PARTITION = 16

/** Fields of this topic's records become columns, where the sink can have that. */
const INFERRED = 'clicks'

const END_AFTER_MS = 2500

const MANIFEST = ({ sink, growsColumns }: SimulatedTables, offsetsEnd: string, timeEnd: string) => `
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: sim, namespace: test, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  source: {bootstrapServers: ["simulated:9092"]}
  topics:
  - {name: orders, topic: orders, table: bronze.orders, format: Json, columns: [{name: at, value: /at, type: String}]${offsetsEnd}}
  - {name: clicks, topic: clicks, table: bronze.clicks, format: Json, schema: {mode: ${growsColumns ? 'Inferred' : 'Payload'}}${timeEnd}}
  batch: {triggerInterval: 300ms}
  sink: ${sink}
`

const TOPICS = [
  { topic: 'orders', partitions: 2 },
  { topic: 'clicks', partitions: 1 }
]

/**
 * One night from one seed: members that die, hang and come late, a broker, a store and a catalog that fail, the real ingest
 * loop and the real writer of Delta, Iceberg or objects. Throws when a record is not exactly once where it belongs.
 */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Outcome> {
  const world = new World(seed, options)
  await world.run()
  return world.verify()
}

class World {
  readonly #seed: number
  readonly #bugs: PlantedBugs
  readonly #scheduler: Scheduler
  readonly #log: Log
  readonly #pipeline: SettledPipeline
  readonly #tables: SimulatedTables
  readonly #faults: FaultPlan
  readonly #group: SimulatedGroup
  readonly #running = new Map<string, { readonly clock: ProcessClock; readonly stopping: AbortController }>()
  #failure: unknown
  #nextMember = 0
  #counts = { kills: 0, stops: 0, rebalances: 0 }

  constructor(seed: number, { sink = sinkOf(seed), bugs = {}, ends = false, trace }: SimulationOptions) {
    this.#seed = seed
    this.#bugs = bugs
    this.#scheduler = new Scheduler(seed)
    this.#log = trace === undefined ? silentLog : jsonLog(trace, 'debug', () => this.#scheduler.now)
    this.#tables = tablesOf(sink, bugs, { seed, nowMs: () => this.#scheduler.now })
    this.#pipeline = parsePipeline(this.#tables, ends ? endsOf(seed, this.#scheduler.now) : ['', ''])
    this.#faults = { rate: this.#scheduler.random() * 0.12, count: 0 }
    this.#group = new SimulatedGroup(this.#scheduler, TOPICS)
    this.#group.faultRate = this.#scheduler.random() * 0.05
  }

  async run(): Promise<void> {
    this.#start()
    this.#start()
    this.#rebalance()
    void this.#produce()
    void this.#chaos()
    const endMs = this.#scheduler.now + CHAOS_MS + QUIET_MS
    let isLate = false
    await this.#scheduler.run(() => {
      isLate = this.#scheduler.now > endMs
      return isLate || this.#failure !== undefined || this.#isCaughtUp()
    }, MAX_STEPS)
    if (this.#failure !== undefined) throw this.#failure
    if (isLate) throw new Error(`seed ${this.#seed}: not caught up; ${this.#progress()}`)
  }

  #start(): void {
    const name = `member-${this.#nextMember++}`
    const clock = new ProcessClock(this.#scheduler)
    const stopping = new AbortController()
    const log = this.#log.with({ member: name })
    const calls = new FaultyCalls(clock, this.#scheduler, this.#faults)
    const author = { pipeline: 'test/sim', createdAt: this.#pipeline.createdAt, consumerId: name }
    const { source: sourceBug, sink: sinkBug } = this.#bugs
    const source = this.#group.join(name, clock)
    const readers = openValueReaders(this.#pipeline, { readSecret: async () => undefined, clock, log })
    this.#running.set(name, { clock, stopping })
    ingest(
      this.#pipeline,
      {
        source: sourceBug?.(source) ?? source,
        openSink: plan => {
          const sink = this.#tables.openSink({ plan, pipeline: this.#pipeline, calls, clock, log, author })
          return sinkBug?.(sink) ?? sink
        },
        readerFor: (entry, place) => readers.readerFor(entry, place),
        sendDeadLetters: async () => {},
        clock,
        log,
        observer: silentObserver,
        author,
        budgetBytes: 2 ** 20
      },
      stopping.signal
    ).catch((error: unknown) => {
      this.#failure ??= error
    })
  }

  #rebalance(): void {
    this.#counts.rebalances++
    this.#group.rebalance([...this.#running.keys()])
  }

  async #produce(): Promise<void> {
    for (const id of this.#group.logs.keys()) void this.#produceTo(id)
  }

  async #produceTo(id: PartitionId): Promise<void> {
    while ((this.#group.logs.get(id)?.written.length ?? 0) < PRODUCED_PER_PARTITION) {
      await this.#scheduler.sleep(this.#scheduler.between(10, 900))
      this.#group.produce(id)
    }
  }

  async #chaos(): Promise<void> {
    const untilMs = this.#scheduler.now + CHAOS_MS
    while (this.#scheduler.now < untilMs) {
      await this.#scheduler.sleep(this.#scheduler.between(200, 1500))
      this.#disturb()
      this.#rebalance()
    }
    this.#faults.rate = 0
    this.#group.faultRate = 0
    this.#rebalance()
  }

  #disturb(): void {
    const names = [...this.#running.keys()]
    const victim = names[this.#scheduler.between(0, names.length - 1)] ?? ''
    const member = this.#running.get(victim)
    const roll = this.#scheduler.random()
    if (roll < 0.35) {
      this.#counts.kills++
      member?.clock.kill()
      this.#running.delete(victim)
      this.#start()
    } else if (roll < 0.55) {
      this.#counts.stops++
      member?.clock.stop(this.#scheduler.between(500, 5000))
    } else if (roll < 0.7 && names.length > 1) {
      member?.stopping.abort()
      this.#running.delete(victim)
    } else if (names.length < 4) {
      this.#start()
    }
  }

  /** Judged from what the members reported, which must never run ahead of the tables. */
  #isCaughtUp(): boolean {
    if (this.#faults.rate > 0) return false
    for (const [id, { written, batches }] of this.#group.logs) {
      if (written.length < PRODUCED_PER_PARTITION) return false
      const end = Math.min(batches.at(-1)?.nextOffset ?? 0, this.#endOf(id))
      if ((this.#group.reports.get(id)?.nextOffset ?? -1) < end) return false
    }
    return true
  }

  /** Infinity where there is none. */
  #endOf(id: PartitionId): number {
    const log = this.#group.logs.get(id)
    const endAt = this.#pipeline.topics.find(({ name }) => name === log?.partition.topic)?.endAt
    if (log === undefined || endAt === undefined) return Infinity
    return this.#group.ends(log.partition.topic, endAt).get(log.partition.partition)?.offset ?? Infinity
  }

  #progress(): string {
    const logs = [...this.#group.logs].map(([id, { batches }]) => {
      const reported = this.#group.reports.get(id)
      return `${id} ends at ${batches.at(-1)?.nextOffset}, reported ${reported?.nextOffset} ${reported?.metadata}`
    })
    return `${logs.join('; ')}; running ${[...this.#running.keys()].join(' ')}`
  }

  async verify(): Promise<Outcome> {
    let records = 0
    let deadLetters = 0
    let commits = 0
    for (const { topic, partitions } of TOPICS) {
      const rows = await this.#tables.read(`bronze.${topic}`)
      const bad = await this.#tables.read(`bronze.dlq_${topic}`)
      commits += rows.commits + bad.commits
      for (let partition = 0; partition < partitions; partition++) {
        const id: PartitionId = `${topic}-${partition}`
        const written = this.#group.logs.get(id)?.written.slice(0, this.#endOf(id)) ?? []
        const expectedGood = written.flatMap((kind, offset) => (kind === 'good' ? [offset] : []))
        const expectedBad = written.flatMap((kind, offset) => (kind === 'bad' ? [offset] : []))
        this.#compare(id, 'table', expectedGood, offsetsOf(rows.rows, partition))
        this.#compare(id, 'dead letters', expectedBad, offsetsOf(bad.rows, partition))
        if (topic === INFERRED && this.#tables.growsColumns) this.#compareFields(id, rows.rows, partition)
        records += expectedGood.length
        deadLetters += expectedBad.length
      }
    }
    return { records, deadLetters, commits, faults: this.#faults.count + this.#group.faults, ...this.#counts }
  }

  /** Every field of a record is in a column of its name, whoever made the column. */
  #compareFields(id: PartitionId, rows: readonly Readonly<Record<string, unknown>>[], partition: number): void {
    for (const row of rows.filter(each => Number(each['_kafka_partition']) === partition)) {
      const offset = Number(row['_kafka_offset'])
      for (const [field, expected] of Object.entries(fieldsAt(id, offset))) {
        const [wanted, found] = [expected, row[field]].map(value => JSON.stringify(present(value)))
        if (wanted !== found)
          throw new Error(`seed ${this.#seed}: ${id} ${offset}: ${field} is ${found}, not ${wanted}`)
      }
    }
  }

  #compare(id: PartitionId, where: string, expected: readonly number[], found: readonly number[]): void {
    if (expected.join() === found.join()) return
    throw new Error(`seed ${this.#seed}: ${id}, ${where}: expected offsets ${expected.join()}, found ${found.join()}`)
  }
}

/** Partition 0 of the first topic ends at any offset; its partition 1 is not read at all. */
function endsOf(seed: number, nowMs: number): readonly [string, string] {
  const timestamp = new Date(nowMs + END_AFTER_MS).toISOString()
  return [
    `, endAt: {position: Offsets, offsets: [{partition: 0, offset: ${seed % PRODUCED_PER_PARTITION}}]}`,
    `, endAt: {position: Timestamp, timestamp: "${timestamp}"}`
  ]
}

function parsePipeline(tables: SimulatedTables, ends: readonly [string, string]): SettledPipeline {
  const { pipelines, problems } = readPipelines(MANIFEST(tables, ...ends), 'simulation')
  const [pipeline] = pipelines
  if (pipeline === undefined) throw new Error(JSON.stringify(problems))
  return settle(pipeline)
}

const offsetsOf = (rows: readonly Readonly<Record<string, unknown>>[], partition: number): number[] =>
  rows
    .filter(row => Number(row['_kafka_partition']) === partition)
    .map(row => Number(row['_kafka_offset']))
    .sort((a, b) => a - b)

/** Without what is null at any depth: fields that other records have. */
function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === null || each === undefined ? [] : [[key, present(each)]]))
  )
}
