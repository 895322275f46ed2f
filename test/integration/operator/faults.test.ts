import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { jsonLog } from '../../../lib/log.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import type { KubeAccess } from '../../../operator/kube/http.ts'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { Operator } from '../../../operator/operator.ts'
import { hurriedClock } from '../../fakes/hurried-clock.ts'
import { aLag } from '../../operator/given.ts'
import { seededPlan } from '../../servers/kube-faults.ts'
import { startKubeProxy, type KubeProxy } from '../../servers/kube-proxy.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually, makeHome, type OperatorHome } from './running.ts'

/** Leases, back-offs and intervals pass so many times as fast. */
const HURRY = 4
const SEEDS = [11]

suite('an operator behind a proxy that does its worst', need('kube', 'helm'), () => {
  let home: OperatorHome
  let proxy: KubeProxy
  /** What is there after the same story without faults. */
  let expected: readonly string[]
  const lines: string[] = []

  before(async () => {
    home = await makeHome(await sharedKube(), `faults-${randomBytes(4).toString('hex')}`)
    const { server, ca } = home.access
    proxy = await startKubeProxy({ server, ca: String(ca) })
    const secret = [
      'create',
      'secret',
      'generic',
      'minio',
      '--from-literal=accessKeyId=a',
      '--from-literal=secretAccessKey=b'
    ]
    await home.kubectl(secret)
  })

  after(async () => {
    await proxy?.stop()
  })

  test('is held against what it does without faults', async context => {
    const stop = run(home.access)
    context.after(stop)
    await tell()
    const seen = await eventually('all three are told of', snapshot, isSettled)
    await stop()
    expected = seen
    assert.equal(expected.filter(text => text.startsWith('Deployment')).length, 3)
    await clear()
  })

  for (const seed of SEEDS) {
    test(`comes to exactly the same objects (seed ${seed})`, async context => {
      const { server, ca } = proxy
      proxy.plan = seededPlan(seed, 0.12)
      const stop = run({ ...home.access, server, ca })
      context.after(stop)
      const told = proxy.requests.length
      await tell()
      const isSame = (seen: readonly string[]) => seen.join() === expected.join()
      await eventually('the same objects', snapshot, isSame).catch(async () => {
        console.log(lines.slice(-60).join(''))
        assert.deepEqual(await snapshot(), expected)
      })
      const faults = proxy.requests.slice(told).filter(({ fault }) => fault !== undefined)
      assert.ok(faults.length > 5, `${faults.length} faults`)
      proxy.plan = () => undefined
      await stop()
      assert.deepEqual(await snapshot(), expected)
      await clear()
    })
  }

  /** Starts it again whenever it ends by itself, as the kubelet does. */
  function run(access: KubeAccess): () => Promise<void> {
    const clock = hurriedClock(HURRY)
    const stopping = new AbortController()
    const client = new KubeClient(access, clock, { timeoutMs: 4000, watchIdleMs: 20_000 })
    let starts = 0
    const living = (async () => {
      while (!stopping.signal.aborted) {
        const operator = new Operator({
          kube: client,
          clock,
          log: jsonLog(line => lines.push(line), 'info', Date.now),
          namespaces: [home.namespace],
          consumerImage: 'bronze:test',
          namespace: home.namespace,
          identity: `operator-${++starts}`,
          upgradesDefinition: false,
          sampleIntervalMs: 5000,
          secretsIntervalMs: 20_000,
          openSampler: () => ({
            sample: async () => ({
              lag: aLag({ atMs: clock.now() }),
              offsets: [],
              group: { state: 'Empty', members: 0, foreignMembers: 0, foreign: [] },
              trouble: undefined
            }),
            close: () => {}
          })
        })
        await operator.run(stopping.signal)
      }
    })()
    return async () => {
      stopping.abort()
      await living
      client.close()
    }
  }

  /** What people do to three pipelines. */
  async function tell(): Promise<void> {
    const { kubectl } = home
    // Each step is waited for: what is kept of older revisions depends on which of them there were.
    const reported = (name: string) =>
      eventually(
        `${name} is reported on`,
        () => kubectl(['get', 'bp', name, '-o', 'jsonpath={.metadata.generation} {.status.observedGeneration}']),
        text => /^(\d+) \1$/.test(text)
      )
    const patch = async (name: string, spec: object) => {
      await kubectl(['patch', 'bp', name, '--type=merge', '-p', JSON.stringify({ spec })])
      await reported(name)
    }
    const create = async (name: string) => {
      await kubectl(['apply', '-f', '-'], pipeline(name))
      await reported(name)
    }
    await Promise.all([
      create('edited').then(() => patch('edited', { batch: { triggerInterval: '20s' } })),
      create('scaled')
        .then(() => patch('scaled', { suspend: true }))
        .then(() => patch('scaled', { suspend: false, scaling: { mode: 'Partitions', maxReplicas: 2 } })),
      create('replaced')
        .then(() => kubectl(['delete', 'bp', 'replaced']))
        .then(() => create('replaced'))
    ])
  }

  async function clear(): Promise<void> {
    await home.kubectl(['delete', 'bp', '--all'])
    await eventually('nothing is left', snapshot, seen => seen.length === 0)
  }

  async function snapshot(): Promise<readonly string[]> {
    const kinds = 'deployments,configmaps,serviceaccounts,poddisruptionbudgets'
    const ours = ['get', kinds, '-l', 'app.kubernetes.io/managed-by=bronze-operator', '-o', 'json']
    const texts = [await home.kubectl(ours), await home.kubectl(['get', 'bp', '-o', 'json'])]
    return texts
      .flatMap(text => (JSON.parse(text) as { items: KubeObject[] }).items)
      .map(told)
      .toSorted()
  }

  const pipeline = (name: string) =>
    JSON.stringify({
      apiVersion: 'bronze.dev/v1alpha1',
      kind: 'BronzePipeline',
      metadata: { name, namespace: home.namespace },
      spec: {
        source: { bootstrapServers: ['kafka:9092'] },
        topics: [{ name: 'orders', topic: name, table: `bronze.${name}` }],
        sink: { delta: { location: 's3://lake/warehouse', s3: { credentialsSecretRef: { name: 'minio' } } } }
      }
    })
})

/** Each pipeline was reported on in its last form, has its Deployment, and nothing is left of older revisions. */
function isSettled(seen: readonly string[]): boolean {
  const of = (kind: string) => seen.filter(text => text.startsWith(`${kind} `))
  const pipelines = of('BronzePipeline')
  const isReported =
    pipelines.length === 3 && pipelines.every(text => /"Reconciling=False.*"isReported":true/.test(text))
  return isReported && of('Deployment').length === 3 && of('ConfigMap').length === 3
}

interface Reported extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
  }
}

/** One object, without what tells when, by whom or how often it was written; of a status what was concluded. */
function told({ kind, metadata, status, ...content }: Reported): string {
  const { name, labels, annotations, ownerReferences, generation } = metadata
  const owners = ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)
  const conditions = status?.conditions?.map(({ type, status, reason }) => `${type}=${status}/${reason}`).toSorted()
  const report = kind === 'BronzePipeline' ? { conditions, isReported: status?.observedGeneration === generation } : {}
  // The others are kubectl's and the Deployment controller's; a hash of what is compared itself says nothing more.
  const ours = Object.entries(annotations ?? {}).filter(([name]) => name === 'bronze.dev/generation')
  const text = JSON.stringify({ name, labels, ours, owners, ...report, ...content })
  // When a pipeline was made is in its configuration, and so in the name of that.
  const timeless = text.replaceAll(/"\d{4}-\d\d-\d\dT[^"\\]*Z\\*"/g, '"(time)"')
  return `${kind} ${timeless.replaceAll(/-config-[0-9a-f]{40}/g, '-config-(hash)')}`
}
