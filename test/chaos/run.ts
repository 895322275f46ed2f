import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { errorText } from '../../lib/errors.ts'
import { startKafka } from '../servers/kafka.ts'
import { startProcess } from '../servers/process.ts'
import { Executioner } from './executioner.ts'
import { Fleet } from './fleet.ts'
import { createTopics, untilCaughtUp } from './progress.ts'
import { startProxy, type Proxy, type ProxyOptions } from './proxy.ts'
import { randomFrom } from './random.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { sinks } from './sinks.ts'
import { TOPICS, type Workload } from './workload.ts'

export interface ChaosOptions extends Workload {
  readonly sink: string
  /** How often a consumer is killed while the topics are fed. */
  readonly kills: number
  /** How often one stands still for longer than its session lasts. */
  readonly pauses: number
  readonly secondsBetweenKills: number
}

export interface ChaosResult extends Omit<Counted, 'differences'> {
  readonly records: number
  readonly kills: number
  readonly faults: number
  readonly seed: number
  readonly seconds: number
}

/** What happened; `failure` says why it was not as it must be, and `logs` where to look. */
export interface ChaosOutcome {
  readonly result: ChaosResult
  readonly failure: string | undefined
  readonly logs: string
  readonly details: string
}

const PRODUCER = fileURLToPath(new URL('./producer.ts', import.meta.url))
const CONSUMERS = 4
const CONSUMER_MEMORY_BYTES = 256 * 2 ** 20
/** The consumers' session time-out is 30 s. */
const PAUSE_MS = 36_000
const PIPELINE = { namespace: 'test', name: 'chaos' }
const GROUP_ID = `bronze.${PIPELINE.namespace}.${PIPELINE.name}`

const NOTHING = { inTable: 0, deadLetters: 0, missing: 0, duplicates: 0 }

/** Feeds topics, kills consumers, breaks connections to the store, and has the tables counted afterwards. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const started = performance.now()
  const startSink = sinks[options.sink]
  if (startSink === undefined) throw new Error(`there is no sink ${options.sink}: ${Object.keys(sinks).join(', ')}`)
  const logs = await mkdtemp(join(tmpdir(), 'bronze-chaos-'))
  const [kafka, sink] = await Promise.all([startKafka(), startSink()])
  let fronts: readonly Front[] = []
  try {
    await createTopics(kafka.bootstrap)
    const fleet: { members?: Fleet } = {}
    const executioner = new Executioner(slot => fleet.members?.kill(slot) ?? false, randomFrom(options.seed, 1))
    fronts = await startFronts(sink, executioner, options.seed)
    const members = new Fleet(await prepare(logs, sink, fronts, kafka.bootstrap))
    fleet.members = members

    const failure = await unrest(options, { members, executioner, sink, logs, bootstrap: kafka.bootstrap })
    const counted = await sink
      .count(options)
      .catch((error: unknown) => ({ ...NOTHING, differences: [errorText(error)] }))
    const faults = sumFaults(fronts)
    const { differences, ...counts } = counted
    const seconds = Math.round((performance.now() - started) / 1000)
    const result = {
      records: options.records,
      ...counts,
      kills: executioner.count,
      faults: Object.values(faults).reduce((sum, count) => sum + count, 0),
      seed: options.seed,
      seconds
    }
    const complaints = [...(failure === undefined ? [] : [failure]), ...differences]
    const wrong = complaints.length === 0 ? undefined : complaints.join('\n')
    const details = JSON.stringify({ kills: executioner.kills, faults, restarts: members.unasked })
    if (wrong === undefined) await rm(logs, { recursive: true })
    return { result, failure: wrong, logs, details }
  } finally {
    await Promise.all(proxiesOf(fronts).map(proxy => proxy.stop()))
    await Promise.all([kafka.stop(), sink.stop()])
  }
}

interface Scene {
  readonly members: Fleet
  readonly executioner: Executioner
  readonly sink: ChaosSink
  readonly logs: string
  readonly bootstrap: string
}

/** Everything between the first record and the last commit; tells why it could not go to its end. */
async function unrest(
  options: ChaosOptions,
  { members, executioner, sink, logs, bootstrap }: Scene
): Promise<string | undefined> {
  const { records, seed, kills, pauses, secondsBetweenKills } = options
  const random = randomFrom(seed, 2)
  await members.start()
  // On a busy machine it takes a while until all have come together; before, there is nothing to interrupt.
  for (let left = 60; left > 0 && executioner.atWork.size < CONSUMERS && members.failure === undefined; left--)
    await wait(1000)
  const feed = { bootstrap, records, seed, seconds: (kills + 1) * secondsBetweenKills }
  const flags = Object.entries(feed).map(([name, value]) => `--${name}=${value}`)
  const producer = startProcess(process.execPath, [PRODUCER, ...flags], { log: join(logs, 'producer.log') })
  const paused = new Set<number>()
  const standing: Promise<void>[] = []
  for (let round = 0; round < kills && members.failure === undefined; round++) {
    await wait(1000 * secondsBetweenKills * (0.5 + random()))
    if (round === Math.floor(kills / 2) && sink.outage !== undefined) standing.push(sink.outage())
    if (Math.floor((round * pauses) / kills) !== Math.floor(((round + 1) * pauses) / kills)) {
      const slot = Math.floor(random() * CONSUMERS)
      if (!paused.has(slot)) {
        paused.add(slot)
        standing.push(members.pause(slot, PAUSE_MS).then(() => void paused.delete(slot)))
      }
    }
    const awake = Array.from({ length: CONSUMERS }, (_, slot) => slot).filter(slot => !paused.has(slot))
    await executioner.strike(awake)
  }
  await Promise.all(standing)
  const fed = await producer.ended
  const failure =
    members.failure ??
    (fed.code === 0 ? undefined : `the producer failed:\n${await producer.tail()}`) ??
    (await untilCaughtUp(bootstrap, GROUP_ID, options, () => members.failure))
  await members.stop()
  return failure ?? members.failure
}

/** The proxies before the servers of a sink, by name, for one consumer. */
type Front = Readonly<Record<string, Proxy>>

/** Proxies per consumer, so that what they see can be the death of that consumer. */
const startFronts = (sink: ChaosSink, executioner: Executioner, seed: number): Promise<Front[]> =>
  Promise.all(
    Array.from({ length: CONSUMERS }, async (_, slot) => {
      const started = Object.entries(sink.upstreams).map(async ([name, { url, protocol }], index) => {
        const random = randomFrom(seed, 10 + slot + CONSUMERS * index)
        const intercept: ProxyOptions['intercept'] = (phase, write) => executioner.witness(slot, phase, write)
        return [name, await startProxy({ upstream: url, protocol, random, intercept })] as const
      })
      return Object.fromEntries(await Promise.all(started))
    })
  )

const proxiesOf = (fronts: readonly Front[]): Proxy[] => fronts.flatMap(front => Object.values(front))

/** Writes the pipeline for each consumer, and the secrets. */
async function prepare(folder: string, sink: ChaosSink, fronts: readonly Front[], bootstrap: string) {
  const secrets = join(folder, 'secrets')
  for (const [name, keys] of Object.entries(sink.secrets)) {
    await mkdir(join(secrets, name), { recursive: true })
    for (const [key, value] of Object.entries(keys)) await writeFile(join(secrets, name, key), value)
  }
  const pipelines = await Promise.all(
    fronts.map(async (front, slot) => {
      const path = join(folder, `pipeline-${slot}.json`)
      await writeFile(path, JSON.stringify(manifest(sink.spec(endpointsOf(front)), bootstrap), undefined, 2))
      return path
    })
  )
  return { pipelines, secrets, logs: folder, memoryBytes: CONSUMER_MEMORY_BYTES }
}

const endpointsOf = (front: Front): Record<string, string> =>
  Object.fromEntries(Object.entries(front).map(([name, { endpoint }]) => [name, endpoint]))

const manifest = (sink: Readonly<Record<string, unknown>>, bootstrap: string) => ({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: PIPELINE,
  spec: {
    source: { bootstrapServers: [bootstrap], groupId: GROUP_ID },
    topics: TOPICS.map(({ topic, table }) => ({
      name: topic,
      table,
      format: 'Json',
      columns: [{ name: 'id', value: '/id', required: true }]
    })),
    batch: { triggerInterval: '2s' },
    sink
  }
})

function sumFaults(fronts: readonly Front[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const [kind, count] of proxiesOf(fronts).flatMap(({ faults }) => Object.entries(faults)))
    sum[kind] = (sum[kind] ?? 0) + count
  return sum
}
