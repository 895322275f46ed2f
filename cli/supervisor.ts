import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { EXIT_CONFIGURATION, errorText } from '../lib/errors.ts'

/** One consumer process, as the supervisor sees it. */
export interface ConsumerProcess {
  readonly pid: number | undefined
  /** Never rejects: a process that could not even be started has ended too. */
  readonly ended: Promise<ConsumerEnd>
  /** Asks it to flush, commit and leave. */
  readonly stop: () => void
  readonly kill: () => void
}

export interface ConsumerEnd {
  readonly code: number | null
  readonly signal: string | null
  /** What it left behind about its end; always there when `code` is 78. */
  readonly reason: string | undefined
  readonly message: string | undefined
  /** Last lines of its log. */
  readonly lastLines: readonly string[]
}

export type ConsumerEvent =
  | { readonly kind: 'started'; readonly consumer: string; readonly pid: number | undefined }
  | { readonly kind: 'ended'; readonly consumer: string; readonly end: ConsumerEnd; readonly wasAsked: boolean }
  | { readonly kind: 'restarting'; readonly consumer: string; readonly restarts: number; readonly inMs: number }
  | { readonly kind: 'killed'; readonly consumer: string; readonly afterMs: number }

/**
 * Whether an end was one that was asked for. A consumer that SIGTERM ends had not begun: it answers the signal before it
 * takes its first record.
 */
export const isCleanEnd = ({ code, signal }: ConsumerEnd, wasAsked: boolean): boolean =>
  wasAsked && (code === 0 || signal === 'SIGTERM')

export type ConsumerState = 'Running' | 'BackOff' | 'Stopping' | 'Stopped'

export interface ConsumerStatus {
  readonly name: string
  readonly pid: number | undefined
  readonly restarts: number
  readonly state: ConsumerState
}

export interface SupervisorPorts {
  readonly clock: Clock
  readonly start: (name: string) => Promise<ConsumerProcess>
  readonly onEvent: (event: ConsumerEvent) => void
}

/** A consumer that lived this long starts its back-off anew. */
const HEALTHY_AFTER_MS = 60_000
const BACK_OFF = { firstMs: 1000, maxMs: 30_000 }

interface Slot {
  readonly name: string
  process: ConsumerProcess | undefined
  restarts: number
  state: ConsumerState
  done: Promise<void>
}

/**
 * Keeps a number of consumers running: one that ends is started again after a back-off, unless it ended because of its
 * configuration (exit code 78), which restarting cannot mend.
 */
export class Supervisor {
  /** Resolves with the end of the first consumer that refused its configuration. */
  readonly refused: Promise<ConsumerEnd>
  readonly #ports: SupervisorPorts
  readonly #slots: Slot[] = []
  readonly #stopping = new AbortController()
  #refuse: (end: ConsumerEnd) => void = () => {}

  constructor(ports: SupervisorPorts) {
    this.#ports = ports
    this.refused = new Promise(resolve => (this.#refuse = resolve))
  }

  /** Starts the consumers of these names that are not there yet. */
  start(names: readonly string[]): void {
    if (this.#stopping.signal.aborted) return
    for (const name of names) {
      if (this.#slots.some(slot => slot.name === name)) continue
      const slot: Slot = { name, process: undefined, restarts: 0, state: 'Running', done: Promise.resolve() }
      this.#slots.push(slot)
      slot.done = this.#keepRunning(slot)
    }
  }

  status(): ConsumerStatus[] {
    return this.#slots.map(({ name, process, restarts, state }) => ({ name, pid: process?.pid, restarts, state }))
  }

  /** Asks all to stop and waits for their ends; kills what is still there after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    for (const slot of this.#slots) {
      if (slot.process === undefined) continue
      slot.state = 'Stopping'
      slot.process.stop()
    }
    const allDone = new AbortController()
    const ended = Promise.all(this.#slots.map(({ done }) => done)).then(() => allDone.abort())
    await this.#ports.clock.sleep(graceMs, allDone.signal)
    for (const { name, process } of this.#slots) {
      if (process !== undefined) this.#ports.onEvent({ kind: 'killed', consumer: name, afterMs: graceMs })
    }
    this.kill()
    await ended
  }

  /** At once. */
  kill(): void {
    this.#stopping.abort()
    for (const { process } of this.#slots) process?.kill()
  }

  async #keepRunning(slot: Slot): Promise<void> {
    const { clock, onEvent } = this.#ports
    const { signal } = this.#stopping
    for (let failures = 1; ; failures++) {
      const startedMs = clock.now()
      const end = await this.#runOnce(slot)
      onEvent({ kind: 'ended', consumer: slot.name, end, wasAsked: signal.aborted })
      if (end.code === EXIT_CONFIGURATION) this.#refuse(end)
      if (signal.aborted || end.code === EXIT_CONFIGURATION) break
      if (clock.now() - startedMs >= HEALTHY_AFTER_MS) failures = 1
      slot.state = 'BackOff'
      slot.restarts++
      const inMs = backoffMs(failures, clock.random(), BACK_OFF)
      onEvent({ kind: 'restarting', consumer: slot.name, restarts: slot.restarts, inMs })
      await clock.sleep(inMs, signal)
      if (signal.aborted) break
    }
    slot.state = 'Stopped'
  }

  async #runOnce(slot: Slot): Promise<ConsumerEnd> {
    let process: ConsumerProcess
    try {
      process = await this.#ports.start(slot.name)
    } catch (error) {
      return { code: null, signal: null, reason: 'NotStarted', message: errorText(error), lastLines: [] }
    }
    slot.process = process
    // A stop that was asked for meanwhile has not reached it.
    if (this.#stopping.signal.aborted) process.stop()
    else slot.state = 'Running'
    this.#ports.onEvent({ kind: 'started', consumer: slot.name, pid: process.pid })
    try {
      return await process.ended
    } finally {
      slot.process = undefined
    }
  }
}
