import type { EndAt, StartFrom } from '../../crds/settled.ts'
import { RetryableError } from '../../lib/errors.ts'
import { partitionId, type Partition, type PartitionId } from '../../consumer/partition.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'
import type { End, Poll, ReportedOffset, Source, SourceLoss } from '../../consumer/source.ts'
import { dataBatch, skipBatch } from '../fakes/records.ts'
import type { ProcessClock, Scheduler } from './scheduler.ts'

/** What the simulated producer wrote at one offset. */
export type Written = 'good' | 'bad' | 'control'

interface Log {
  partition: Partition
  readonly batches: RecordBatch[]
  readonly written: Written[]
  /** Of what was written, ms. */
  readonly times: number[]
  logStart: number
}

interface Member {
  readonly clock: ProcessClock
  /** What it was told; a late member goes on with what it had. */
  assigned: Map<PartitionId, Partition>
  generation: number
  /** What the coordinator gave it last, whether it knows yet or not. */
  owned: ReadonlySet<PartitionId>
}

/** A broker and a group coordinator: logs that grow, and assignments that members learn late. */
export class SimulatedGroup {
  readonly logs = new Map<PartitionId, Log>()
  readonly #scheduler: Scheduler
  #generation = 0
  readonly #members = new Map<string, Member>()
  readonly #reports = new Map<PartitionId, ReportedOffset>()
  /** Likelihood that a call to the broker fails. */
  faultRate = 0
  faults = 0

  constructor(scheduler: Scheduler, topics: readonly { readonly topic: string; readonly partitions: number }[]) {
    this.#scheduler = scheduler
    for (const { topic, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++)
        this.addPartition({ topic, topicId: `${topic}-id`, partition })
    }
  }

  addPartition(partition: Partition): void {
    this.logs.set(partitionId(partition), { partition, batches: [], written: [], times: [], logStart: 0 })
  }

  /** Appends one batch: mostly records of which some are malformed, sometimes a control record. */
  produce(id: PartitionId): void {
    const log = this.#log(id)
    const base = log.written.length
    if (this.#scheduler.happens(0.15)) {
      log.batches.push(skipBatch(log.partition, base, 1))
      log.written.push('control')
      log.times.push(this.#scheduler.now)
      return
    }
    const records = Array.from({ length: this.#scheduler.between(1, 5) }, (_, index) => {
      const isBad = this.#scheduler.happens(0.1)
      log.written.push(isBad ? 'bad' : 'good')
      log.times.push(this.#scheduler.now)
      const value = isBad ? '{"broken":' : valueAt(id, base + index)
      return { key: `${base + index}`, value, timestampMs: this.#scheduler.now }
    })
    log.batches.push(dataBatch(log.partition, base, records))
  }

  /** Gives every partition to one of `names`; each member learns of it after a delay of its own, so owners overlap. */
  rebalance(names: readonly string[]): void {
    const generation = ++this.#generation
    const next = new Map<string, Map<PartitionId, Partition>>(names.map(name => [name, new Map()]))
    ;[...this.logs.entries()].forEach(([id, { partition }], index) => {
      next.get(names[(index + this.#scheduler.between(0, 1)) % names.length] ?? '')?.set(id, partition)
    })
    for (const [name, member] of this.#members) member.owned = new Set(next.get(name)?.keys())
    for (const [name, assigned] of next) {
      void this.#scheduler.sleep(this.#scheduler.between(0, 400)).then(() => {
        const member = this.#members.get(name)
        if (member === undefined || member.generation > generation) return
        member.assigned = assigned
        member.generation = generation
      })
    }
  }

  join(name: string, clock: ProcessClock): Source {
    const member: Member = { clock, assigned: new Map(), generation: 0, owned: new Set() }
    this.#members.set(name, member)
    return new SimulatedSource(member, this, this.#scheduler)
  }

  leave(member: Member): void {
    for (const [name, each] of this.#members) if (each === member) this.#members.delete(name)
  }

  /** One call to the broker: takes time and may fail. */
  async call(clock: ProcessClock): Promise<void> {
    await clock.sleep(this.#scheduler.between(1, 20))
    if (!this.#scheduler.happens(this.faultRate)) return
    this.faults++
    throw new RetryableError('BrokerUnavailable', 'simulated')
  }

  fetch(
    id: PartitionId,
    position: number
  ): { readonly batches: readonly RecordBatch[]; readonly loss: SourceLoss | undefined } {
    const { partition, batches, logStart } = this.#log(id)
    if (position < logStart) {
      const message = `${id} starts at ${logStart}`
      return {
        batches: [],
        loss: { partition, kind: 'Truncated', nextOffset: position, resumeOffset: logStart, message }
      }
    }
    const from = batches.findIndex(({ nextOffset }) => nextOffset > position)
    return { batches: from < 0 ? [] : batches.slice(from, from + this.#scheduler.between(1, 3)), loss: undefined }
  }

  starts(topic: string, startFrom: StartFrom): ReadonlyMap<number, number> {
    const ours = [...this.logs.values()].filter(({ partition }) => partition.topic === topic)
    const isLatest = startFrom.position === 'Latest'
    return new Map(
      ours.map(({ partition, written, logStart }) => [partition.partition, isLatest ? written.length : logStart])
    )
  }

  ends(topic: string, endAt: EndAt): ReadonlyMap<number, End> {
    const ours = [...this.logs.values()].filter(({ partition }) => partition.topic === topic)
    return new Map(ours.map(log => [log.partition.partition, this.#end(log, endAt)]))
  }

  #end({ partition: { partition }, times }: Log, endAt: EndAt): End {
    if (endAt.position === 'Offsets') return { offset: endAt.offsets.get(partition) ?? 0, isFinal: true }
    const found = times.findIndex(time => time >= endAt.timestampMs)
    return found >= 0
      ? { offset: found, isFinal: true }
      : { offset: times.length, isFinal: this.#scheduler.now >= endAt.timestampMs }
  }

  /** A coordinator refuses offsets from a member of an older generation. */
  keepReports({ owned }: Member, offsets: ReadonlyMap<PartitionId, ReportedOffset>): boolean {
    if (![...offsets.keys()].every(id => owned.has(id))) return false
    for (const [id, reported] of offsets) this.#reports.set(id, reported)
    return true
  }

  get reports(): ReadonlyMap<PartitionId, ReportedOffset> {
    return this.#reports
  }

  #log(id: PartitionId): Log {
    const log = this.logs.get(id)
    if (log === undefined) throw new Error(`no partition ${id}`)
    return log
  }
}

class SimulatedSource implements Source {
  readonly #member: Member
  readonly #group: SimulatedGroup
  readonly #scheduler: Scheduler
  #known = new Map<PartitionId, Partition>()
  readonly #positions = new Map<PartitionId, number>()
  #isOpen: (id: PartitionId) => boolean = () => true

  constructor(member: Member, group: SimulatedGroup, scheduler: Scheduler) {
    this.#member = member
    this.#group = group
    this.#scheduler = scheduler
  }

  async open(): Promise<void> {
    await this.#group.call(this.#member.clock)
  }

  async poll(maxWaitMs: number, wantsBatches: boolean): Promise<Poll> {
    await this.#member.clock.sleep(Math.min(maxWaitMs, this.#scheduler.between(1, 50)))
    await this.#group.call(this.#member.clock)
    const assigned = new Map(this.#member.assigned)
    const revoked = [...this.#known.entries()].filter(([id]) => !assigned.has(id))
    const added = [...assigned.entries()].filter(([id]) => !this.#known.has(id))
    for (const [id] of revoked) this.#positions.delete(id)
    this.#known = assigned
    const batches: RecordBatch[] = []
    const losses: SourceLoss[] = []
    for (const [id, position] of this.#positions) {
      if (!wantsBatches || !this.#isOpen(id)) continue
      const fetched = this.#group.fetch(id, position)
      batches.push(...fetched.batches)
      if (fetched.loss !== undefined) losses.push(fetched.loss)
      this.#positions.set(id, fetched.batches.at(-1)?.nextOffset ?? position)
    }
    for (const { partition } of losses) this.#positions.delete(partitionId(partition))
    return { assigned: added.map(([, each]) => each), revoked: revoked.map(([, each]) => each), batches, losses }
  }

  seek(positions: ReadonlyMap<PartitionId, number>): void {
    for (const [id, position] of positions) if (this.#known.has(id)) this.#positions.set(id, position)
  }

  setGate(isOpen: (id: PartitionId) => boolean): void {
    this.#isOpen = isOpen
  }

  async resolveStart(topic: string, startFrom: StartFrom): Promise<ReadonlyMap<number, number>> {
    await this.#group.call(this.#member.clock)
    return this.#group.starts(topic, startFrom)
  }

  async resolveEnds(topic: string, endAt: EndAt): Promise<ReadonlyMap<number, End>> {
    await this.#group.call(this.#member.clock)
    return this.#group.ends(topic, endAt)
  }

  async logStarts(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, number>> {
    await this.#group.call(this.#member.clock)
    return new Map(partitions.map(each => [partitionId(each), this.#group.logs.get(partitionId(each))?.logStart ?? 0]))
  }

  async report(offsets: ReadonlyMap<PartitionId, ReportedOffset>): Promise<boolean> {
    await this.#group.call(this.#member.clock)
    return this.#group.keepReports(this.#member, offsets)
  }

  async reported(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, ReportedOffset>> {
    await this.#group.call(this.#member.clock)
    const ids = new Set(partitions.map(partitionId))
    return new Map([...this.#group.reports].filter(([id]) => ids.has(id)))
  }

  isMember(): boolean {
    return true
  }

  lags(): ReturnType<Source['lags']> {
    return new Map()
  }

  // The simulation's assignments ask nobody.
  retire(): void {}

  async close(): Promise<void> {
    this.#group.leave(this.#member)
  }
}

/** Records of one topic come to have more and more fields, each of one type. */
export function fieldsAt(id: PartitionId, offset: number): Readonly<Record<string, unknown>> {
  return {
    at: `${id}-${offset}`,
    ...(offset % 3 === 2 ? { count: offset } : {}),
    ...(offset > 5 ? { nested: { ratio: offset + 0.5, ...(offset > 9 ? { tags: [`${offset}`] } : {}) } } : {}),
    ...(offset % 7 === 6 ? { [`rare_${offset}`]: true } : {})
  }
}

const valueAt = (id: PartitionId, offset: number): string => JSON.stringify(fieldsAt(id, offset))
