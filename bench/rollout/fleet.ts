import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { consumerEnvironment } from '../../cli/consumer-environment.ts'
import { freePorts } from '../../test/servers/process.ts'
import type { Commit, Fetched, Joined } from './figures.ts'
import type { Pods } from './strategies.ts'

const CONSUMER = fileURLToPath(new URL('../../consumer/main.ts', import.meta.url))
const WITNESS = new URL('witness.ts', import.meta.url).href
const TABLE = 'bronze.events'
const LOOK_EVERY_MS = 50
const PATIENCE_MS = 120_000

export interface FleetOptions {
  readonly bootstrap: string
  readonly topic: string
  /** Scratch, for this fleet alone. */
  readonly folder: string
  readonly triggerInterval: string
  /** What Kubernetes takes from a pod's creation to its program's start. */
  readonly podStartMs: number
  readonly stays: boolean
}

/** Consumers as real processes, one per slot, that write one Delta table. */
export class Fleet implements Pods {
  readonly joined: Joined[] = []
  readonly #options: FleetOptions
  readonly #processes = new Map<number, ChildProcess>()
  #output = ''

  static async open(options: FleetOptions): Promise<Fleet> {
    await mkdir(join(options.folder, 'tables'), { recursive: true })
    const spec = {
      source: { bootstrapServers: [options.bootstrap], groupId: `rollout-${options.topic}` },
      topics: [{ name: 'events', topic: options.topic, table: TABLE }],
      batch: { triggerInterval: options.triggerInterval },
      sink: { delta: { location: pathToFileURL(join(options.folder, 'tables')).href } }
    }
    const metadata = { name: 'rollout', namespace: 'bench' }
    const manifest = { apiVersion: 'bronze.dev/v1alpha1', kind: 'BronzePipeline', metadata, spec }
    // JSON is YAML.
    await writeFile(join(options.folder, 'pipeline.yaml'), JSON.stringify(manifest))
    return new Fleet(options)
  }

  private constructor(options: FleetOptions) {
    this.#options = options
  }

  readonly start = async (slot: number, instance: string): Promise<void> => {
    const { folder, podStartMs, stays } = this.#options
    await wait(podStartMs)
    const [port = 0] = await freePorts(1)
    const args = [
      '--pipeline',
      join(folder, 'pipeline.yaml'),
      '--instance',
      instance,
      '--port',
      String(port),
      '--exit-with-parent'
    ]
    const child = spawn(process.execPath, ['--import', WITNESS, CONSUMER, ...args, '--secrets', folder], {
      // Open as long as this process lives, which they must not outlive.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...consumerEnvironment(process.env),
        BENCH_FETCHED: join(folder, 'fetched'),
        BENCH_STAYS: String(stays)
      }
    })
    this.#processes.set(slot, child)
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', line => this.#hear(line))
    await this.#ready(instance, port, child)
  }

  readonly stop = async (slot: number): Promise<void> => {
    const child = this.#processes.get(slot)
    this.#processes.delete(slot)
    if (child === undefined || child.exitCode !== null || !child.kill('SIGTERM')) return
    await once(child, 'exit')
    if (child.exitCode !== 0) throw new Error(`a consumer ended with ${child.exitCode}:\n${this.#output}`)
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map(this.stop))
  }

  /** All commits of the table so far, in order. */
  async commits(): Promise<Commit[]> {
    const log = join(this.#options.folder, 'tables', ...TABLE.split('.'), '_delta_log')
    const names = (await readdir(log).catch(() => [])).filter(name => /^\d{20}\.json$/.test(name)).sort()
    return (await Promise.all(names.map(name => readFile(join(log, name), 'utf8')))).flatMap(commitOf)
  }

  async fetched(): Promise<Fetched[]> {
    const text = await readFile(join(this.#options.folder, 'fetched'), 'utf8')
    return text
      .trim()
      .split('\n')
      .map(line => {
        const [partition = 0, from = 0, next = 0] = line.split(' ').map(Number)
        return { partition, from, next }
      })
  }

  async #ready(instance: string, port: number, child: ChildProcess): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await wait(LOOK_EVERY_MS)) {
      if (child.exitCode !== null) throw new Error(`${instance} ended with ${child.exitCode}:\n${this.#output}`)
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.status === 200) return
    }
    throw new Error(`${instance} did not become ready:\n${this.#output}`)
  }

  #hear(line: string): void {
    this.#output = `${this.#output}${line}\n`.slice(-20_000)
    if (!line.includes('"joined the group"')) return
    const { time, generation } = JSON.parse(line) as { time: string; generation: number }
    this.joined.push({ atMs: Date.parse(time), generation })
  }
}

interface Action {
  readonly commitInfo?: { readonly timestamp: number }
  readonly txn?: { readonly appId: string }
  readonly add?: object
}

/** None for a commit without rows. */
function commitOf(text: string): Commit[] {
  const actions = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Action)
  const atMs = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo?.timestamp
  if (atMs === undefined || !actions.some(({ add }) => add !== undefined)) return []
  const partitions = actions.flatMap(({ txn }) => (txn === undefined ? [] : [Number(/(\d+)$/.exec(txn.appId)?.[1])]))
  return [{ atMs, partitions }]
}
