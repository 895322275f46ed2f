import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startConsumer } from './consumer-process.ts'
import { partitionKey } from './lag.ts'
import type { ConsumerProcess } from './supervisor.ts'

export interface LocalFolders {
  readonly pipelineFile: string
  readonly secrets: string
  readonly logs: string
  readonly terminations: string
}

const PROGRAM = fileURLToPath(new URL('../consumer/main.ts', import.meta.url))
const ANSWER_WITHIN_MS = 1000

/** Starts consumers on this machine, and asks them how they are. */
export class LocalConsumers {
  readonly #folders: LocalFolders
  /** What a pod may use, so that a laptop's consumers keep to the same; undefined: as the consumer finds it. */
  readonly #memoryBytes: number | undefined
  readonly #ports = new Map<string, number>()

  /** Names of the entries to run; none: all of them. */
  readonly #topics: readonly string[]

  constructor(folders: LocalFolders, memoryBytes: number | undefined, topics: readonly string[]) {
    this.#folders = folders
    this.#memoryBytes = memoryBytes
    this.#topics = topics
  }

  logFile(name: string): string {
    return join(this.#folders.logs, `${name}.log`)
  }

  async start(name: string): Promise<ConsumerProcess> {
    const port = await freePort()
    this.#ports.set(name, port)
    const terminationLog = join(this.#folders.terminations, name)
    const options = {
      pipeline: this.#folders.pipelineFile,
      secrets: this.#folders.secrets,
      instance: name,
      port: String(port),
      'termination-log': terminationLog,
      ...(this.#memoryBytes === undefined ? {} : { memory: String(this.#memoryBytes) })
    }
    const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value])
    for (const topic of this.#topics) args.push('--topic', topic)
    return startConsumer({
      file: process.execPath,
      args: [PROGRAM, ...args, '--exit-with-parent'],
      logFile: this.logFile(name),
      terminationLog
    })
  }

  /** How many are members of the group. */
  async countReady(): Promise<number> {
    const answers = await Promise.all([...this.#ports.values()].map(port => ask(port, '/readyz')))
    return answers.filter(answer => answer !== undefined).length
  }

  /** Records between where each partition is read and its end, by partition key, as the consumers say. */
  async fetchLags(): Promise<Map<string, number>> {
    const lags = new Map<string, number>()
    const pages = await Promise.all([...this.#ports.values()].map(port => ask(port, '/metrics')))
    for (const page of pages) for (const [key, lag] of readFetchLags(page ?? '')) lags.set(key, lag)
    return lags
  }
}

/** From the text of `/metrics`. */
export function readFetchLags(metrics: string): Map<string, number> {
  const lines = metrics.matchAll(/^bronze_fetch_lag_records\{topic="([^"]*)",partition="(\d+)"\} (\S+)$/gm)
  return new Map(
    [...lines].map(([, topic = '', partition, lag]) => [
      partitionKey({ topic, partition: Number(partition) }),
      Number(lag)
    ])
  )
}

/** The body of a good answer. */
async function ask(port: number, path: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    const body = await response.text()
    return response.ok ? body : undefined
  } catch {
    // Not there yet, or not any more.
    return undefined
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
  return promise
}
