import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../lib/clock.ts'
import { definition } from '../../crds/schema.ts'
import { KubeClient } from '../../operator/kube/client.ts'
import { KubeError, PIPELINES } from '../../operator/kube/kube.ts'
import { createTopics } from '../../test/servers/kafka-topics.ts'
import { startKafka } from '../../test/servers/kafka.ts'
import { startKube, type KubeServer } from '../../test/servers/kube.ts'
import { timeEdits } from './edits.ts'
import { manifest, namespaceNames, topicNames, type Fleet } from './fleet.ts'
import { DeploymentWatch, percentile } from './latency.ts'
import { startOperator, type OperatorProcess } from './operator-process.ts'
import type { Asked } from './process.ts'

/** Pipelines are created by so many at a time. */
const CREATORS = 8
const PROGRESS_MS = 10_000
/** Without any progress for so long, it is over. */
const PATIENCE_MS = 180_000
/** Waiting until it is calm is over after this time; figures of idleness then say how calm it was. */
const CALM_MS = 180_000

export interface FleetOptions {
  readonly pipelines: number
  /** Of each pipeline's topic; each has a consumer. */
  readonly partitions: number
  readonly edits: number
  readonly idleSeconds: number
  readonly profileFolder?: string | undefined
  readonly tell: (text: string) => void
}

export interface FleetFigures {
  readonly pipelines: number
  readonly partitions: number
  /** At most, idle and after the edits. */
  readonly rssMiB: number
  /** At any moment, intake included. */
  readonly peakMiB: number
  readonly intakePerSecond: number
  /** Of the operator's CPU time. */
  readonly intakeCpuMsPerPipeline: number
  /** Requests to the API server for each pipeline, from its creation until all is calm. */
  readonly intakeCallsPerPipeline: number
  readonly editToDeploymentP50Ms: number
  readonly editToDeploymentP99Ms: number
  readonly apiCallsPerPipelineHour: number
  /** From the first watch to the end: agreed ends and others. */
  readonly reconnectsPerWatchMinute: number
  /** Of one core. */
  readonly idleCpuShare: number
}

/** Starts the servers and the operator, measures, and ends them all; throws when the operator ends or nothing moves any more. */
export async function measureFleet(options: FleetOptions): Promise<FleetFigures> {
  const { pipelines, tell } = options
  tell('starting an API server and a broker')
  const [kafka, cluster] = await Promise.all([startKafka({ heapMiB: pipelines > 1000 ? 1024 : 512 }), startKube()])
  try {
    await createTopics(kafka.bootstrap, topicNames, options.partitions)
    const access = { server: cluster.server, ca: cluster.ca, token: await prepare(cluster) }
    const kube = new KubeClient({ ...access, token: async () => access.token }, systemClock)
    const watch = new DeploymentWatch(kube)
    await watch.start()
    const operator = startOperator(access, options.profileFolder)
    try {
      const fleet = { pipelines, bootstrap: kafka.bootstrap }
      return await Promise.race([measure(options, { fleet, kube, watch, operator }), operator.gone])
    } finally {
      await operator.stop()
      await watch.stop()
      kube.close()
    }
  } finally {
    await Promise.all([kafka.stop(), cluster.stop()])
  }
}

interface World {
  readonly fleet: Fleet
  readonly kube: KubeClient
  readonly watch: DeploymentWatch
  readonly operator: OperatorProcess
}

async function measure(
  { pipelines, partitions, edits, idleSeconds, tell }: FleetOptions,
  world: World
): Promise<FleetFigures> {
  const { kube, watch, operator } = world
  const startedMs = performance.now()
  const intakePerSecond = await takeIn(world, tell)
  await calm(operator, pipelines, tell)
  const [intakeCpu, asked] = [await operator.cpuSeconds(), await operator.asked()]
  const calls = total(asked)
  tell(`calm after ${calls} requests and ${intakeCpu.toFixed(1)} s of the operator's CPU time: ${mostOf(asked)}`)
  const idle = await observe(operator, idleSeconds)
  tell(`idle for ${idleSeconds} s: ${idle.calls} requests, ${idle.rssMiB.toFixed(0)} MiB`)
  const timesMs = await timeEdits({ kube, watch, pipelines, edits, tell })
  const { rssMiB, peakMiB } = await operator.memory()
  const watches = watchesIn(await operator.asked())
  const reconnects = total(watches) - watches.length
  const minutes = (performance.now() - startedMs) / 60_000
  return {
    pipelines,
    partitions,
    rssMiB: Math.round(Math.max(idle.rssMiB, rssMiB)),
    peakMiB: Math.round(peakMiB),
    intakePerSecond,
    intakeCpuMsPerPipeline: rounded((intakeCpu * 1000) / pipelines),
    intakeCallsPerPipeline: rounded(calls / pipelines),
    editToDeploymentP50Ms: Math.round(percentile(timesMs, 0.5)),
    editToDeploymentP99Ms: Math.round(percentile(timesMs, 0.99)),
    apiCallsPerPipelineHour: rounded((idle.calls / pipelines) * (3600 / idleSeconds)),
    reconnectsPerWatchMinute: rounded(reconnects / (watches.length * minutes)),
    idleCpuShare: rounded(idle.cpuSeconds / idleSeconds)
  }
}

/** The definition, the namespaces and an account that may do all; gives its token. */
async function prepare({ kubectl, token }: KubeServer): Promise<string> {
  const must = async (args: readonly string[], input?: string) => {
    const { code, stderr } = await kubectl(args, input)
    if (code !== 0) throw new Error(stderr)
  }
  await must(['apply', '--server-side', '-f', '-'], JSON.stringify(definition))
  const namespaces = namespaceNames.map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
  await must(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: namespaces }))
  await must(['-n', 'default', 'create', 'serviceaccount', 'bench'])
  await must(['create', 'clusterrolebinding', 'bench', '--clusterrole=cluster-admin', '--serviceaccount=default:bench'])
  // The API server serves a new definition a moment after it has said so.
  for (let attempt = 0; (await kubectl(['get', PIPELINES.plural, '-A'])).code !== 0; attempt++) {
    if (attempt === 300) throw new Error('the API server does not serve the definition')
    await wait(200)
  }
  return await token('default', 'bench')
}

/** Creates the pipelines and waits for their Deployments; gives how many there were in a second, of both together. */
async function takeIn({ fleet, kube, watch, operator }: World, tell: FleetOptions['tell']): Promise<number> {
  const { pipelines } = fleet
  const startedMs = performance.now()
  let next = 0
  const creating = async () => {
    for (let index = next++; index < pipelines; index = next++) await create(kube, fleet, index)
  }
  const creators = Promise.all(Array.from({ length: CREATORS }, creating)).then(() => {
    tell(`${pipelines} pipelines created in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  })
  const watching = progress({
    what: async () => {
      const [{ rssMiB }, cpu] = [await operator.memory(), await operator.cpuSeconds()]
      return `${watch.size} of ${pipelines} Deployments, ${cpu.toFixed(0)} s of CPU, ${rssMiB.toFixed(0)} MiB`
    },
    count: () => watch.size,
    until: pipelines,
    tell
  })
  await Promise.all([creators, watching])
  return rounded(pipelines / ((performance.now() - startedMs) / 1000))
}

/** A busy API server may refuse for a moment. */
async function create(kube: KubeClient, fleet: Fleet, index: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await kube.create(PIPELINES, manifest(fleet, index))
      return
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return
      if (attempt === 5) throw error
      await wait(1000)
    }
  }
}

interface ProgressOptions {
  readonly what: () => Promise<string>
  readonly count: () => number
  readonly until: number
  readonly tell: FleetOptions['tell']
}

async function progress({ what, count, until, tell }: ProgressOptions): Promise<void> {
  let [last, movedMs, toldMs] = [count(), performance.now(), performance.now()]
  while (count() < until) {
    await wait(250)
    const nowMs = performance.now()
    if (count() !== last) [last, movedMs] = [count(), nowMs]
    if (nowMs - movedMs > PATIENCE_MS) throw new Error(`nothing moves any more: ${await what()}`)
    if (nowMs - toldMs < PROGRESS_MS) continue
    toldMs = nowMs
    tell(await what())
  }
}

/** Waits until the operator asks for no more than it does of its own accord. */
async function calm(operator: OperatorProcess, pipelines: number, tell: FleetOptions['tell']): Promise<void> {
  const untilMs = performance.now() + CALM_MS
  for (let before = total(await operator.asked()); performance.now() < untilMs;) {
    await wait(PROGRESS_MS)
    const now = total(await operator.asked())
    if (now - before < pipelines / 50 + 10) return
    tell(`${now - before} requests in ${PROGRESS_MS / 1000} s`)
    before = now
  }
  tell('it does not become calm')
}

async function observe(operator: OperatorProcess, seconds: number) {
  const [before, cpuBefore] = [await operator.asked(), await operator.cpuSeconds()]
  let rssMiB = 0
  for (let second = 0; second < seconds; second += 5) {
    await wait(5000)
    rssMiB = Math.max(rssMiB, (await operator.memory()).rssMiB)
  }
  const [after, cpuAfter] = [await operator.asked(), await operator.cpuSeconds()]
  return {
    rssMiB,
    calls: total(after) - total(before),
    cpuSeconds: cpuAfter - cpuBefore
  }
}

function total(counts: Asked | readonly number[]): number {
  return Object.values(counts).reduce((sum: number, count: number) => sum + count, 0)
}

function mostOf(asked: Asked): string {
  const calls = Object.entries(asked).toSorted(([, a], [, b]) => b - a)
  return calls
    .slice(0, 10)
    .map(([call, times]) => `${call} ${times}`)
    .join(', ')
}

/** How often each kind's watch was begun, for whatever reason the one before had ended. */
function watchesIn(asked: Asked): readonly number[] {
  return Object.keys(asked).flatMap(call => (call.startsWith('watch ') ? [asked[call] ?? 0] : []))
}

function rounded(value: number): number {
  return Number(value.toPrecision(2))
}
