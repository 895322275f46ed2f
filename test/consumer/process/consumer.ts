import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CONSUMER_ENVIRONMENT, consumerNodeOptions } from '../../../lib/consumer-environment.ts'
import { type Ending, type ServerProcess, freePorts, startProcess } from '../../servers/process.ts'

const MAIN = fileURLToPath(new URL('../../../consumer/main.ts', import.meta.url))
/** Far beyond what anything here takes: a test that waits so long has failed. */
const PATIENCE_MS = 120_000

export interface ConsumerOptions {
  /** A folder for its log and its termination message. */
  readonly folder: string
  readonly pipelineFile: string
  readonly secrets: string
  readonly instance?: string
  readonly memoryBytes?: number
  readonly env?: NodeJS.ProcessEnv
  /** A program, with its first arguments, that runs the consumer in its own place: its process id is the consumer's. */
  readonly wrapper?: readonly [program: string, ...args: string[]]
}

/** A real consumer process. */
export class Consumer {
  readonly process: ServerProcess
  readonly #url: string
  readonly #files: { readonly log: string; readonly message: string }

  private constructor(process: ServerProcess, port: number, files: { log: string; message: string }) {
    this.process = process
    this.#url = `http://127.0.0.1:${port}`
    this.#files = files
  }

  static async start({
    folder,
    pipelineFile,
    secrets,
    instance = 'consumer-0',
    memoryBytes,
    env = {},
    wrapper
  }: ConsumerOptions) {
    const [port = 0] = await freePorts(1)
    const files = { log: join(folder, `${port}.log`), message: join(folder, `${port}.message`) }
    const args = ['--pipeline', pipelineFile, '--secrets', secrets, '--instance', instance, '--port', String(port)]
    const memory = memoryBytes === undefined ? [] : ['--memory', String(memoryBytes)]
    const all = [MAIN, ...args, '--termination-log', files.message, ...memory]
    // As pods and `bronze run` start it.
    const environment = { ...CONSUMER_ENVIRONMENT, NODE_OPTIONS: consumerNodeOptions() }
    const [program, ...before] = wrapper === undefined ? [process.execPath] : [...wrapper, process.execPath]
    return new Consumer(
      startProcess(program, [...before, ...all], { log: files.log, env: { ...environment, ...env } }),
      port,
      files
    )
  }

  /** Until it is a member of its group. */
  async ready(): Promise<this> {
    await this.until('it is ready', async () => (await this.status('/readyz')) === 200)
    return this
  }

  /** Until `check` gives true; fails with its last words when it ends before. */
  async until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      if (await check()) return
      if (!this.process.isRunning()) throw new Error(`the consumer ended before ${what}:\n${await this.process.tail()}`)
      if (performance.now() > deadline) throw new Error(`too late: ${what}\n${await this.process.tail()}`)
      await wait(100)
    }
  }

  /** The HTTP status of a path; 0 while nothing answers. */
  async status(path: string): Promise<number> {
    return await fetch(this.#url + path).then(
      async answer => {
        await answer.text()
        return answer.status
      },
      () => 0
    )
  }

  async text(path: string): Promise<string> {
    return await (await fetch(this.#url + path)).text()
  }

  /** The exit code; undefined when a signal ended it. */
  async ended(): Promise<Ending['code']> {
    const late = new AbortController()
    const deadline = wait(PATIENCE_MS, undefined, { signal: late.signal }).then(
      async () => {
        const words = await this.process.tail()
        await this.process.kill()
        throw new Error(`the consumer does not end:\n${words}`)
      },
      () => {}
    )
    const ending = await Promise.race([this.process.ended, deadline])
    late.abort()
    return ending?.code
  }

  /** SIGTERM; gives the exit code. */
  async stop(): Promise<Ending['code']> {
    process.kill(this.process.pid, 'SIGTERM')
    return await this.ended()
  }

  async kill(): Promise<void> {
    await this.process.kill()
  }

  async log(): Promise<string> {
    return await readFile(this.#files.log, 'utf8')
  }

  /** What it left as the pod's termination message. */
  async message(): Promise<{ readonly reason: string; readonly message: string }> {
    return JSON.parse(await readFile(this.#files.message, 'utf8')) as { reason: string; message: string }
  }
}
