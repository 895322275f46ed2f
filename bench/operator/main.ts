/**
 * `npm run bench:operator -- --pipelines 5000 --json`: the operator beside a real API server and a real broker. It is given
 * that many pipelines, left alone for a while, and then edits are timed until the Deployment has them.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '../../lib/clock.ts'
import { definition } from '../../crds/schema.ts'
import { PIPELINES, type KubeObject } from '../../operator/kube/kube.ts'
import { KubeClient } from '../../operator/kube/client.ts'
import { createTopics } from '../../test/servers/kafka-topics.ts'
import { startKafka } from '../../test/servers/kafka.ts'
import { startKube, type KubeServer } from '../../test/servers/kube.ts'
import { manifest, nameOf, namespaceNames, PARTITIONS, topicNames, type Fleet } from './fleet.ts'
import { DeploymentWatch, percentile } from './latency.ts'
import { startOperator, type OperatorProcess } from './operator-process.ts'
import type { Asked } from './process.ts'

const AT_ONCE = 16
const EDIT_EVERY_MS = 100

const { values } = parseArgs({
  options: {
    pipelines: { type: 'string', default: '500' },
    edits: { type: 'string', default: '300' },
    'idle-seconds': { type: 'string', default: '120' },
    json: { type: 'boolean', default: false }
  }
})
const pipelines = Number(values.pipelines)
const [kafka, cluster] = await Promise.all([startKafka({ heapMiB: 1024 }), startKube()])
try {
  await createTopics(kafka.bootstrap, topicNames, PARTITIONS)
  const figures = await measure({ pipelines, bootstrap: kafka.bootstrap }, cluster)
  if (values.json) console.log(JSON.stringify(figures))
} finally {
  await Promise.all([kafka.stop(), cluster.stop()])
}

async function measure(fleet: Fleet, cluster: KubeServer): Promise<object> {
  const access = { server: cluster.server, ca: cluster.ca, token: await prepare(cluster) }
  const kube = new KubeClient({ ...access, token: async () => access.token }, systemClock)
  const watch = new DeploymentWatch(kube)
  await watch.start()
  const operator = startOperator(access)
  try {
    const intakeStartedMs = Date.now()
    await atOnce(pipelines, index => kube.create(PIPELINES, manifest(fleet, index)))
    console.log(`${pipelines} pipelines created in ${secondsSince(intakeStartedMs)} s`)
    // Asked for what it has done, it says whether it is still there.
    for (; watch.size < pipelines; await wait(500)) await operator.asked()
    const intakeSeconds = secondsSince(intakeStartedMs)
    const cpu = (await operator.cpuSeconds()).toFixed(1)
    console.log(`their Deployments were all there after ${intakeSeconds} s, ${cpu} s of the operator's CPU time`)
    await calm(operator)
    const idle = await observe(operator, Number(values['idle-seconds']))
    const edits = await timeEdits(kube, watch, Number(values.edits))
    const { rssMiB, peakMiB } = await operator.memory()
    return {
      pipelines,
      rssMiB: Math.round(Math.max(idle.rssMiB, rssMiB)),
      peakMiB: Math.round(peakMiB),
      intakePerSecond: Math.round(pipelines / intakeSeconds),
      editToDeploymentP50Ms: Math.round(percentile(edits, 0.5)),
      editToDeploymentP99Ms: Math.round(percentile(edits, 0.99)),
      apiCallsPerPipelineHour: idle.apiCallsPerPipelineHour,
      reconnectsPerWatchMinute: idle.reconnectsPerWatchMinute,
      idleCpuShare: idle.cpuShare
    }
  } finally {
    await operator.stop()
    await watch.stop()
    kube.close()
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
  while ((await kubectl(['get', PIPELINES.plural, '-A'])).code !== 0) await wait(200)
  return await token('default', 'bench')
}

/** Waits until the operator asks for no more than it does of its own accord. */
async function calm(operator: OperatorProcess): Promise<void> {
  for (let before = total(await operator.asked()); ;) {
    await wait(10_000)
    const now = total(await operator.asked())
    if (now - before < pipelines / 50 + 10) return
    before = now
  }
}

async function observe(operator: OperatorProcess, seconds: number) {
  const [before, cpuBefore] = [await operator.asked(), await operator.cpuSeconds()]
  let rssMiB = 0
  for (let second = 0; second < seconds; second += 5) {
    await wait(5000)
    rssMiB = Math.max(rssMiB, (await operator.memory()).rssMiB)
  }
  const [after, cpuAfter] = [await operator.asked(), await operator.cpuSeconds()]
  const calls = total(after) - total(before)
  const [kinds, watches] = [watchesIn(before).length, total(watchesIn(after)) - total(watchesIn(before))]
  console.log(`idle for ${seconds} s: ${calls} requests, ${rssMiB.toFixed(0)} MiB`)
  return {
    rssMiB,
    apiCallsPerPipelineHour: rounded((calls / pipelines) * (3600 / seconds)),
    reconnectsPerWatchMinute: rounded((watches / kinds) * (60 / seconds)),
    cpuShare: rounded((cpuAfter - cpuBefore) / seconds)
  }
}

function total(counts: Asked | readonly number[]): number {
  return Object.values(counts).reduce((sum: number, count: number) => sum + count, 0)
}

/** How often each kind's watch was begun, for whatever reason the one before had ended. */
function watchesIn(asked: Asked): readonly number[] {
  return Object.keys(asked).flatMap(call => (call.startsWith('watch ') ? [asked[call] ?? 0] : []))
}

/** Milliseconds from each edit's request until its Deployment was seen changed. */
async function timeEdits(kube: KubeClient, watch: DeploymentWatch, edits: number): Promise<readonly number[]> {
  const timed: Promise<number>[] = []
  for (let edit = 0; edit < edits; edit++) {
    timed.push(timeEdit(kube, watch, Math.floor((edit * pipelines) / edits), `edit-${edit}`))
    await wait(EDIT_EVERY_MS)
  }
  return await Promise.all(timed)
}

async function timeEdit(kube: KubeClient, watch: DeploymentWatch, index: number, mark: string): Promise<number> {
  const { namespace, name } = nameOf(index)
  const isSo = (object: KubeObject) =>
    (object as { spec?: { template?: { metadata?: { labels?: Record<string, string> } } } }).spec?.template?.metadata
      ?.labels?.['mark'] === mark
  const seen = watch.until(`${namespace}/${name}-consumer`, isSo)
  const startedMs = performance.now()
  await kube.mergePatch(PIPELINES, { namespace, name }, { spec: { consumer: { labels: { mark } } } })
  await seen
  return performance.now() - startedMs
}

async function atOnce(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const one = async () => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

function secondsSince(startedMs: number): number {
  return Number(((Date.now() - startedMs) / 1000).toFixed(1))
}

function rounded(value: number): number {
  return Number(value.toPrecision(2))
}
