import assert from 'node:assert/strict'
import type { Clock } from '../../lib/clock.ts'
import type { TablePlan } from '../../consumer/columns/bronze.ts'
import { openStreamingSink } from '../../consumer/sinks/snowflake/streaming/sink.ts'
import type { StreamingService } from '../../consumer/sinks/snowflake/streaming/service.ts'
import {
  channelStates,
  continuationOf,
  codeOf,
  openedChannel,
  verdictOf
} from '../../consumer/sinks/snowflake/streaming/answers.ts'
import type { Sink } from '../../consumer/sink.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { FatalError, RetryableError, invariant } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { batchOf, plannedTable, type PartOptions } from '../conformance/batches.ts'
import { ProcessClock, Scheduler } from '../simulation/scheduler.ts'
import type { Operation } from './faulty-store.ts'
import { STREAMING_SINK, letterId, rowId } from './snowpipe-harness.ts'
import { MemoryLedger, SqlMemory, memoryTables } from './snowpipe-memory.ts'
import { SnowpipeState, type Answer } from './snowpipe-state.ts'

/** Offsets of each partition. */
const TOTAL = 48
const PARTITIONS = [0, 1]
const MAX_STEPS = 60_000

/** Of one seed: what happened, for people, and what must never be different. */
export interface Walk {
  readonly trace: readonly string[]
}

/**
 * Two writers that both believe they own both partitions, each with a decoder that judges otherwise every time, over a network that
 * delays, loses and delivers late; they are killed and stopped at any step. In the end every record is in one table, once.
 */
export async function walk(seed: number): Promise<Walk> {
  const world = new World(seed)
  await world.run()
  world.check()
  return { trace: world.trace }
}

const offsetsOf = (partition: number, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `${partition}-${from + index}`)

class World {
  readonly trace: string[] = []
  readonly #scheduler: Scheduler
  readonly #state = new SnowpipeState()
  readonly #pipeline: SettledPipeline
  readonly #plan: TablePlan
  readonly #memory: SqlMemory
  readonly #trouble: number
  #isDone = false
  #failure: unknown
  #started = 0

  constructor(seed: number) {
    this.#scheduler = new Scheduler(seed)
    const { pipeline, plan } = plannedTable(STREAMING_SINK)
    this.#pipeline = pipeline
    this.#plan = plan
    this.#memory = new SqlMemory(this.#state, plan)
    this.#state.commitLag = Infinity
    this.#trouble = this.#scheduler.random() * 0.08
  }

  async run(): Promise<void> {
    void this.#committing()
    for (const slot of [0, 1]) void this.#slot(slot)
    await this.#scheduler.run(() => this.#isDone || this.#failure !== undefined, MAX_STEPS)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Each offset is a row, a dead letter, or one that moved without a row: once, and one of them. */
  check(): void {
    const all = PARTITIONS.flatMap(partition => offsetsOf(partition, 0, TOTAL))
    const rows = this.#state.table('ORDERS').rows.map(rowId)
    const letters = this.#state.table('DLQ_ORDERS').rows.map(letterId)
    const alone = this.#memory.moves.flatMap(({ key, expected = 0, next, deadLetters }) =>
      deadLetters > 0 ? [] : offsetsOf(key.partition, expected, next)
    )
    assert.deepEqual([...rows, ...letters, ...alone].sort(), all.sort())
  }

  /** The service takes its time. */
  async #committing(): Promise<void> {
    while (!this.#isDone) {
      await this.#scheduler.sleep(this.#scheduler.between(1, 120))
      this.#state.commitSome(count => this.#scheduler.between(0, Math.max(0, count - 1)))
      if (this.#scheduler.happens(this.#trouble / 40))
        this.#state.invalidate(count => this.#scheduler.between(0, Math.max(0, count - 1)))
    }
  }

  /** One writer after another, each until it is killed. */
  async #slot(slot: number): Promise<void> {
    try {
      while (!this.#isDone) {
        const clock = new ProcessClock(this.#scheduler)
        const name = `writer-${slot}-${this.#started++}`
        const fate = this.#fate(clock)
        this.trace.push(`${this.#scheduler.now} ${name} starts`)
        await Promise.race([this.#write(name, clock), fate])
        this.trace.push(`${this.#scheduler.now} ${name} ends`)
      }
    } catch (error) {
      this.#failure = error
    }
  }

  /** When a process ends by force; it may be stopped for a while before. */
  async #fate(clock: ProcessClock): Promise<void> {
    for (;;) {
      await this.#scheduler.sleep(this.#scheduler.between(200, 6_000))
      if (this.#scheduler.happens(0.5)) clock.stop(this.#scheduler.between(100, 4_000))
      else if (this.#scheduler.happens(0.6)) break
    }
    clock.kill()
  }

  async #write(name: string, clock: ProcessClock): Promise<void> {
    const sink = this.#sink(name, clock)
    try {
      await sink.open()
      for (;;) {
        const isOver = await this.#turn(name, sink)
        if (isOver) break
        await clock.sleep(this.#scheduler.between(1, 300))
      }
      await sink.close()
      // Whatever is still on its way may arrive now.
      await this.#scheduler.sleep(21_000)
      this.#state.commitSome(() => 0)
      this.#isDone = true
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
    }
  }

  /** Whether everything is in. */
  async #turn(name: string, sink: Sink): Promise<boolean> {
    try {
      const { offsets } = await sink.recover(['orders'])
      const next = PARTITIONS.map(partition => offsets.get(`orders-${partition}`)?.nextOffset)
      if (next.every(each => each === TOTAL)) return true
      for (let commits = this.#scheduler.between(1, 4); commits > 0; commits--) {
        const parts = PARTITIONS.filter(() => this.#scheduler.happens(0.8)).flatMap(partition =>
          this.#part(partition, next[partition])
        )
        if (parts.length === 0) continue
        const said = parts
          .map(({ partition, from, to, bad = [] }) => `${partition}:${from}-${to}(${bad.join()})`)
          .join(' ')
        const { status } = await sink.commit([await sink.stage(batchOf(this.#plan, parts))])
        this.trace.push(`${this.#scheduler.now} ${name} ${status} ${said}`)
        if (status !== 'committed') return false
        for (const { partition = 0, to } of parts) next[partition] = to
      }
    } catch (error) {
      if (error instanceof FatalError) throw error
      if (!(error instanceof RetryableError)) throw error
      this.trace.push(`${this.#scheduler.now} ${name} ${error.code}`)
    }
    return false
  }

  #part(partition: number, next: number | undefined): PartOptions[] {
    const from = next ?? 0
    if (from >= TOTAL) return []
    const to = Math.min(TOTAL, from + this.#scheduler.between(1, 9))
    if (this.#scheduler.happens(0.15)) return [{ partition, from, to, expected: next, empty: true }]
    const likelihood = [0, 0, 0.3, 1][this.#scheduler.between(0, 3)] ?? 0
    const offsets = Array.from({ length: to - from }, (_, index) => from + index)
    const bad = offsets.filter(() => this.#scheduler.happens(likelihood))
    return [{ partition, from, to, expected: next, bad }]
  }

  #sink(name: string, clock: ProcessClock): Sink {
    const { sink } = this.#pipeline
    invariant(sink.kind === 'snowflake', 'the pipeline writes to Snowflake')
    const author = { pipeline: 'test/walk', createdAt: undefined, consumerId: name }
    const run = async <T>(operation: Operation, effect: () => T) => await this.#send(clock, operation, effect)
    return openStreamingSink({
      plan: this.#plan,
      pipeline: this.#pipeline,
      snowflake: sink.snowflake,
      tables: memoryTables(this.#memory, this.#plan, run),
      ledger: new MemoryLedger(this.#memory, author, run),
      service: this.#service(run),
      clock: clock satisfies Clock,
      log: silentLog,
      author,
      limits: { commitMs: 3_000, politeMs: 1_000, attempts: 3, requestBytes: this.#scheduler.between(1, 2) * 400 }
    })
  }

  /** A request that is sent arrives, whatever becomes of who sent it; perhaps long after they have given it up. */
  async #send<T>(clock: ProcessClock, { kind }: Operation, effect: () => T): Promise<T> {
    await clock.gate()
    const scheduler = this.#scheduler
    const fails = scheduler.happens(this.#trouble)
    if (fails && scheduler.happens(0.4)) {
      await clock.sleep(scheduler.between(1, 500))
      throw new RetryableError('SnowflakeUnavailable', `${kind} never came there`)
    }
    const isLate = scheduler.happens(this.#trouble)
    const arrived = scheduler.sleep(isLate ? scheduler.between(500, 20_000) : scheduler.between(0, 40)).then(effect)
    if (isLate || fails) {
      arrived.catch(() => {})
      await clock.sleep(scheduler.between(1, 800))
      throw new RetryableError('SnowflakeUnavailable', `${kind} has no answer`)
    }
    const answer = await arrived
    await clock.sleep(scheduler.between(0, 40))
    return answer
  }

  /** As the REST client, without HTTP between. */
  #service(run: <T>(operation: Operation, effect: () => T) => Promise<T>): StreamingService {
    const state = this.#state
    const body = (answer: Answer) => JSON.stringify(answer.body)
    const repeatable = async (operation: Operation, effect: () => Answer): Promise<string> => {
      const answer = await run(operation, effect)
      const code = codeOf(body(answer))
      if (code === 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED') return '{"channel_statuses":{}}'
      assert.equal(answer.status, 200, code)
      return body(answer)
    }
    return {
      open: async (pipe, channel) => {
        const opened = openedChannel(
          await repeatable({ kind: 'open', path: channel }, () => state.open(pipe.name, channel))
        )
        assert.ok(opened)
        return opened
      },
      statuses: async (pipe, channels) => {
        const effect = () => state.statuses(pipe.name, channels)
        return channelStates(await repeatable({ kind: 'statuses', path: pipe.name }, effect)) ?? new Map()
      },
      append: async (pipe, channel, request) => {
        try {
          const effect = () => state.append(pipe.name, channel, { ...request, encoding: 'zstd' })
          const answer = await run({ kind: 'append', path: channel }, effect)
          const verdict = verdictOf(answer.status, codeOf(body(answer)))
          if (verdict === 'stale') return { status: 'stale' }
          if (verdict === 'invalid') return { status: 'invalid', code: codeOf(body(answer)) }
          assert.equal(verdict, 'ok')
          return { status: 'received', continuation: continuationOf(body(answer)) ?? '' }
        } catch (error) {
          if (!(error instanceof RetryableError)) throw error
          return { status: 'unknown', error }
        }
      },
      close: () => {}
    }
  }
}
