import type { SettledPipeline } from '../crds/settled.ts'
import type { Clock } from '../lib/clock.ts'
import { EXIT_CONFIGURATION, EXIT_DEFECT, FatalError, RetryableError, errorText } from '../lib/errors.ts'
import { replicasFor } from '../operator/scaling/size.ts'
import { CatchUp } from './catch-up.ts'
import { EXIT_OK, EXIT_PROBLEMS } from './command.ts'
import { consumerEvent, newsOf } from './events.ts'
import type { LagSampler } from '../operator/kafka/lag-sampler.ts'
import { partitionKey, type LagSample } from './lag.ts'
import type { LocalConsumers } from './local-consumers.ts'
import type { Display } from './screen.ts'
import { runStatus, type RunEnd, type RunEvent, type RunStatus } from './status.ts'
import { Supervisor, isCleanEnd, type ConsumerEvent } from './supervisor.ts'

export interface SessionPorts {
  readonly clock: Clock
  readonly sampler: Pick<LagSampler, 'sample' | 'countMembers'>
  readonly consumers: Pick<LocalConsumers, 'start' | 'countReady' | 'fetchLags' | 'logFile'>
  readonly display: Display
}

export interface SessionOptions {
  /** Instead of what the scaling gives. */
  readonly consumers: number | undefined
  readonly untilCaughtUp: boolean
  readonly everyMs: number
  /** Consumers are `<memberName>-0`, `-1` …: their names as static members of the group. */
  readonly memberName: string
}

/** `npm run` and terminals both send a Ctrl-C on: the second within this time is the same one. */
const SAME_INTERRUPT_MS = 500
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 }

/** One `bronze run`: starts consumers, looks at Kafka and at them again and again, shows it, and stops them at the end. */
export class RunSession {
  readonly #pipeline: SettledPipeline
  readonly #options: SessionOptions
  readonly #ports: SessionPorts
  readonly #supervisor: Supervisor
  readonly #catchUp: CatchUp
  readonly #startedMs: number
  readonly #ending = new AbortController()
  #end: Omit<RunEnd, 'atMs'> | undefined
  #interruptedMs: number | undefined
  #lastSample: LagSample | undefined
  #sourceTrouble: string | undefined
  #hasCaughtUp = false
  #failures = 0

  constructor(pipeline: SettledPipeline, options: SessionOptions, ports: SessionPorts) {
    this.#pipeline = pipeline
    this.#options = options
    this.#ports = ports
    this.#startedMs = ports.clock.now()
    this.#catchUp = new CatchUp(pipeline.topics.flatMap(({ match }) => ('topic' in match ? [match.topic] : [])))
    this.#supervisor = new Supervisor({
      clock: ports.clock,
      start: name => ports.consumers.start(name),
      onEvent: event => this.#onConsumer(event)
    })
  }

  /** Consumers that ended as they should not. */
  get failures(): number {
    return this.#failures
  }

  async run(): Promise<RunEnd> {
    const { clock, display } = this.#ports
    void this.#supervisor.refused.then(({ reason, message }) => this.#refuse(reason ?? 'Unknown', message ?? ''))
    try {
      if (this.#options.consumers !== undefined) this.#scaleTo(this.#options.consumers)
      while (!this.#ending.signal.aborted) {
        await this.#look()
        await clock.sleep(this.#options.everyMs, this.#ending.signal)
      }
      if (this.#supervisor.status().length > 0)
        this.#tell({ level: 'info', reason: 'Stopping', message: 'stopping the consumers' })
    } catch (error) {
      // A defect of our own: consumers never outlive the run, and its last line comes all the same.
      await this.#stopAll()
      display.end({ atMs: clock.now(), outcome: 'Failed', exitCode: EXIT_DEFECT, message: errorText(error) }, undefined)
      throw error
    }
    await this.#stopAll()
    const end = { ...this.#verdict(), atMs: clock.now() }
    display.end(end, await this.#lastStatus())
    return end
  }

  #stopAll(): Promise<void> {
    return this.#supervisor.stop(this.#pipeline.consumer.terminationGracePeriodSeconds * 1000)
  }

  /** The first asks for a clean stop, the second kills. */
  interrupt(signal: NodeJS.Signals): void {
    const nowMs = this.#ports.clock.now()
    if (this.#interruptedMs === undefined) {
      this.#interruptedMs = nowMs
      const exitCode = this.#options.untilCaughtUp ? 128 + (SIGNAL_NUMBERS[signal] ?? 0) : EXIT_OK
      this.#finish({ outcome: 'Stopped', exitCode, message: 'stopped' })
    } else if (nowMs - this.#interruptedMs > SAME_INTERRUPT_MS) {
      this.#tell({
        level: 'warning',
        reason: 'Killing',
        message: 'killing the consumers; what they had not committed is read again'
      })
      this.#end = { outcome: 'Killed', exitCode: 128 + (SIGNAL_NUMBERS[signal] ?? 0), message: 'killed' }
      this.#supervisor.kill()
    }
  }

  #refuse(reason: string, message: string): void {
    this.#finish({ outcome: 'Refused', exitCode: EXIT_CONFIGURATION, message: `cannot go on: ${reason}: ${message}` })
  }

  #finish(end: Omit<RunEnd, 'atMs'>): void {
    this.#end ??= end
    this.#ending.abort()
  }

  /** A run that caught up and then lost a consumer without its clean end has not kept its word. */
  #verdict(): Omit<RunEnd, 'atMs'> {
    const end = this.#end ?? { outcome: 'Stopped', exitCode: EXIT_OK, message: 'stopped' }
    if ((end.outcome !== 'CaughtUp' && end.outcome !== 'Completed') || !this.#stoppedBadly) return end
    return {
      outcome: 'Stopped',
      exitCode: EXIT_PROBLEMS,
      message: `${end.message}, but a consumer did not stop cleanly: run again`
    }
  }

  #stoppedBadly = false

  async #look(): Promise<void> {
    const { consumers, display } = this.#ports
    const sample = await this.#sample()
    if (this.#ending.signal.aborted) return
    if (sample !== undefined) {
      this.#catchUp.observe(sample)
      const wanted = this.#options.consumers ?? replicasFor(this.#pipeline, sample.lag.partitions)
      this.#scaleTo(wanted ?? 0)
      this.#hasCaughtUp ||= this.#catchUp.isReported(sample)
    }
    const ready = await consumers.countReady()
    display.status(this.#status(sample, ready))
    if (sample === undefined) return
    if (sample.lag.isComplete === true) await this.#complete(sample, ready)
    if (!this.#options.untilCaughtUp || !this.#catchUp.isReported(sample)) return
    if (this.#catchUp.isRead(sample, await consumers.fetchLags(), await this.#hasOthers(ready))) {
      this.#finish({ outcome: 'CaughtUp', exitCode: EXIT_OK, message: 'caught up' })
    }
  }

  /** What the group was told may be old news; that nothing is left to read our consumers must say themselves. */
  async #complete({ offsets }: LagSample, ready: number): Promise<void> {
    const toGo = await this.#ports.consumers.fetchLags()
    const hasOthers = await this.#hasOthers(ready)
    const isRead = offsets.every(partition => (toGo.get(partitionKey(partition)) ?? (hasOthers ? 0 : 1)) === 0)
    if (isRead)
      this.#finish({
        outcome: 'Completed',
        exitCode: EXIT_OK,
        message: 'completed: all that was to be read is in the tables'
      })
  }

  /** Whether the group has members beside our own, all of which are in it. */
  async #hasOthers(readyConsumers: number): Promise<boolean> {
    const own = this.#supervisor.status().length
    if (own === 0 || readyConsumers < own) return false
    try {
      return (await this.#ports.sampler.countMembers()) > own
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      return false
    }
  }

  /** Undefined when Kafka cannot be reached now. */
  async #sample(): Promise<LagSample | undefined> {
    try {
      const sample = await this.#ports.sampler.sample()
      if (sample.trouble !== undefined) throw sample.trouble
      for (const news of newsOf(this.#lastSample?.lag, sample.lag)) this.#ports.display.event(news)
      if (this.#sourceTrouble !== undefined)
        this.#tell({ level: 'info', reason: 'SourceReachable', message: 'Kafka answers' })
      this.#sourceTrouble = undefined
      this.#lastSample = sample
      return sample
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      if (this.#isForPeople(error)) this.#refuse(error.code, error.message)
      this.#onSourceTrouble(`${error.code}: ${error.message}`)
      return undefined
    }
  }

  /** The operator's sampler lets everything pass in time; at a keyboard, what was wrong from the beginning is told at once. */
  #isForPeople({ code, cause }: RetryableError): boolean {
    return this.#lastSample === undefined && (cause instanceof FatalError || code === 'SourceAuthenticationFailed')
  }

  #onSourceTrouble(message: string): void {
    if (this.#sourceTrouble === undefined) this.#tell({ level: 'warning', reason: 'SourceUnreachable', message })
    this.#sourceTrouble = message
  }

  #scaleTo(count: number): void {
    this.#supervisor.start(Array.from({ length: count }, (_, i) => `${this.#options.memberName}-${i}`))
  }

  #onConsumer(event: ConsumerEvent): void {
    const { clock, consumers, display } = this.#ports
    if (event.kind === 'ended' && !isCleanEnd(event.end, event.wasAsked)) {
      this.#failures++
      if (event.wasAsked) this.#stoppedBadly = true
    }
    display.event(consumerEvent(event, clock.now(), consumers.logFile(event.consumer)))
  }

  #tell(event: Omit<RunEvent, 'atMs'>): void {
    this.#ports.display.event({ atMs: this.#ports.clock.now(), ...event })
  }

  #status(sample: LagSample | undefined, readyConsumers: number): RunStatus {
    const progress = sample === undefined || this.#hasCaughtUp ? undefined : this.#catchUp.progress(sample)
    return runStatus({
      pipeline: this.#pipeline,
      startedMs: this.#startedMs,
      atMs: this.#ports.clock.now(),
      sample,
      sourceTrouble: this.#sourceTrouble,
      consumers: this.#supervisor.status(),
      readyConsumers,
      progress
    })
  }

  /** With the figures after the last commits, when Kafka still answers. */
  async #lastStatus(): Promise<RunStatus | undefined> {
    if (this.#lastSample === undefined) return undefined
    const sample = await this.#ports.sampler.sample().catch(() => this.#lastSample)
    return this.#status(sample, 0)
  }
}
