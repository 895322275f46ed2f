import type { Display } from '../../cli/screen.ts'
import { RunSession, type SessionOptions } from '../../cli/session.ts'
import type { RunEnd, RunEvent, RunStatus } from '../../cli/status.ts'
import type { ConsumerEnd, ConsumerProcess } from '../../cli/supervisor.ts'
import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { type RetryableError, invariant } from '../../lib/errors.ts'
import { pipelineLag } from '../../operator/source/lag.ts'
import type { PartitionOffsets } from '../../operator/source/partition-offsets.ts'
import { encodeReport } from '../../crds/report.ts'

const { pipelines } = readPipelines(
  `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: taxi}
spec:
  source: {bootstrapServers: ['kafka:9092']}
  topics: [{name: trips, table: bronze.trips, format: Json}]
  scaling: {mode: Partitions, partitionsPerReplica: 2, maxReplicas: 3}
  sink: {delta: {location: 'file:///tables'}}`,
  'taxi.yaml'
)
const [first] = pipelines
invariant(first, 'the pipeline is valid')
const pipeline = settle(first)

/** A consumer that ends when it is told, in the way it is told. */
class FakeConsumer implements ConsumerProcess {
  readonly pid = 1
  readonly #end = Promise.withResolvers<ConsumerEnd>()
  readonly ended = this.#end.promise
  wasKilled = false
  /** How it ends when it is asked to stop; undefined: it does not. */
  onStop: Partial<ConsumerEnd> | undefined = { code: 0 }

  end(end: Partial<ConsumerEnd>): void {
    this.#end.resolve({ code: null, signal: null, reason: undefined, message: undefined, lastLines: [], ...end })
  }

  stop(): void {
    if (this.onStop !== undefined) this.end(this.onStop)
  }

  kill(): void {
    this.wasKilled = true
    this.end({ signal: 'SIGKILL' })
  }
}

/** What Kafka and the consumers say, to be changed by a test while the session looks. */
export class World implements Display {
  /** Per partition: `[next offset as reported, end]`. */
  offsets: [number | undefined, number][] = [[0, 10]]
  sinkError: string | undefined
  trouble: RetryableError | undefined
  fetchLags = new Map<string, number>()
  /** Members of the group beside those of the run. */
  others = 0
  readonly started = new Map<string, FakeConsumer>()
  readonly statuses: RunStatus[] = []
  readonly events: RunEvent[] = []
  #nowMs = 0
  #onLook: (() => void)[] = []

  readonly clock: Clock = {
    now: () => this.#nowMs,
    random: () => 1,
    sleep: async (ms, signal) => {
      this.#nowMs += ms
      await systemClock.sleep(1, signal)
    }
  }

  pass(ms: number): void {
    this.#nowMs += ms
  }

  session(options: Partial<SessionOptions> = {}): RunSession {
    return new RunSession(
      pipeline,
      { consumers: undefined, untilCaughtUp: false, everyMs: 1000, memberName: 'taxi', ...options },
      {
        clock: this.clock,
        display: this,
        sampler: { sample: async () => this.#sample(), countMembers: async () => this.started.size + this.others },
        consumers: {
          logFile: name => `${name}.log`,
          countReady: async () => this.started.size,
          fetchLags: async () => this.fetchLags,
          start: async name => {
            const consumer = new FakeConsumer()
            this.started.set(name, consumer)
            return consumer
          }
        }
      }
    )
  }

  /** Does one after the other, each after one more look of the session. */
  next(...steps: (() => void)[]): void {
    this.#onLook.push(...steps)
  }

  consumer(name: string): FakeConsumer {
    const found = this.started.get(name)
    invariant(found, `${name} was started`)
    return found
  }

  reasons(): string[] {
    return this.events.map(({ reason }) => reason)
  }

  status(status: RunStatus): void {
    this.statuses.push(status)
    this.#onLook.shift()?.()
  }

  event(event: RunEvent): void {
    this.events.push(event)
  }

  last: RunStatus | undefined
  ended: RunEnd | undefined
  end(end: RunEnd, last: RunStatus | undefined): void {
    this.ended = end
    this.last = last
  }

  #sample() {
    if (this.trouble !== undefined) throw this.trouble
    const report = { committedAtMs: 1, version: '1', recordTimestampMs: 1, deadLetters: 0 }
    const metadata = encodeReport(this.sinkError === undefined ? report : { ...report, sinkError: this.sinkError })
    const offsets = this.offsets.map(([committed, lastStable], partition): PartitionOffsets => ({
      topic: 'trips',
      partition,
      committed,
      lastStable,
      logStart: 0,
      metadata: committed === undefined ? '' : metadata
    }))
    const lag = pipelineLag(pipeline, new Map([['trips', ['trips']]]), offsets, this.#nowMs, new Map())
    return { lag, offsets, trouble: undefined }
  }
}
