import { consumerEnvironment } from '../../cli/consumer-environment.ts'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts, startProcess, type ServerProcess } from '../servers/process.ts'

const CONSUMER = fileURLToPath(new URL('../../consumer/main.ts', import.meta.url))
/** A defect, and a configuration that cannot work: neither may happen here, whatever is done to a consumer. */
const NEVER = [70, 78]
const MAX_UNASKED = 10
const RESTART_AFTER_MS = 300
const STOP_PATIENCE_MS = 60_000

export interface FleetOptions {
  /** The pipeline's file for each consumer. */
  readonly pipelines: readonly string[]
  readonly secrets: string
  /** The folder for their logs. */
  readonly logs: string
  readonly memoryBytes: number
}

/** The consumer processes of a pipeline: each is started again when it ends, as Kubernetes does with a container. */
export class Fleet {
  /** Restarts that nobody asked for, by exit code. */
  readonly unasked: string[] = []
  readonly #options: FleetOptions
  readonly #running: (ServerProcess | undefined)[] = []
  readonly #lives: Promise<void>[] = []
  readonly #killed = new Set<ServerProcess>()
  #isStopping = false
  /** Why the run has failed, once it has. */
  failure: string | undefined

  constructor(options: FleetOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const ports = await freePorts(this.#options.pipelines.length)
    for (const [slot, port] of ports.entries()) this.#lives.push(this.#live(slot, port))
  }

  /** SIGKILL at once; false when it is not running just now. */
  kill(slot: number): boolean {
    return this.#signal(slot, 'SIGKILL')
  }

  /** Stands still for so long that its group gives it up, then goes on as if nothing had been. */
  async pause(slot: number, forMs: number): Promise<boolean> {
    const pausing = this.#running[slot]
    if (!this.#signal(slot, 'SIGSTOP')) return false
    await wait(forMs)
    // Another life of this consumer would not be standing still.
    if (pausing === this.#running[slot]) this.#signal(slot, 'SIGCONT')
    return true
  }

  /** SIGTERM to all: each must end by itself and with code 0. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const stopping = this.#running.map(async (consumer, slot) => {
      // Killed, and not yet started again.
      if (consumer === undefined || !consumer.isRunning()) return
      await consumer.stop(STOP_PATIENCE_MS)
      const { code, signal } = await consumer.ended
      // By the signal itself ends who was still starting: there was nothing yet to end well; and we may just have killed it.
      if (code !== 0 && signal !== 'SIGTERM' && !this.#killed.has(consumer))
        this.failure ??= `consumer ${slot} ended with ${code ?? signal} when it was asked to stop`
    })
    await Promise.all([...stopping, ...this.#lives])
  }

  #signal(slot: number, signal: NodeJS.Signals): boolean {
    const consumer = this.#running[slot]
    if (consumer === undefined || !consumer.isRunning()) return false
    if (signal === 'SIGKILL') this.#killed.add(consumer)
    process.kill(consumer.pid, signal)
    return true
  }

  async #live(slot: number, port: number): Promise<void> {
    const { pipelines, secrets, logs, memoryBytes } = this.#options
    const name = `consumer-${slot}`
    const args = ['--pipeline', pipelines[slot] ?? '', '--secrets', secrets, '--instance', name, '--port', String(port)]
    while (!this.#isStopping && this.failure === undefined) {
      const log = join(logs, `${name}.log`)
      const consumer = startProcess(process.execPath, [CONSUMER, ...args, '--memory', String(memoryBytes)], {
        log,
        env: consumerEnvironment(process.env)
      })
      this.#running[slot] = consumer
      const { code, signal } = await consumer.ended
      if (this.#isStopping) return
      if (code === undefined || NEVER.includes(code)) {
        if (signal !== 'SIGKILL') this.failure ??= `${name} ended with ${code ?? signal}:\n${await consumer.tail()}`
      } else if (this.unasked.push(`${name}: ${code}`) > MAX_UNASKED) {
        this.failure ??= `consumers end by themselves again and again, ${name} with ${code}:\n${await consumer.tail()}`
      }
      await wait(RESTART_AFTER_MS)
    }
  }
}
