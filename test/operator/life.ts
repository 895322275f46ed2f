import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import { silentLog, type Log } from '../../lib/log.ts'
import { PIPELINES, SECRETS, type Kube, type KubeObject } from '../../operator/kube/kube.ts'
import { Operator } from '../../operator/operator.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { controlDeployments } from '../fakes/deployment-controller.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { aLag, IMAGE, NOW } from './given.ts'

/** A cluster in memory whose Deployments get their pods, with the Secret that pipelines name. */
export async function aCluster(): Promise<{ readonly cluster: FakeCluster; readonly clock: ManualClock }> {
  const cluster = new FakeCluster()
  controlDeployments(cluster)
  await cluster.create(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'lake', name: 'minio' },
    data: { accessKeyId: 'YQ==', secretAccessKey: 'Yg==' }
  } as KubeObject)
  return { cluster, clock: new ManualClock(NOW) }
}

export interface LivingOperator {
  readonly operator: Operator
  /** Ends it as SIGTERM does; resolves when all it began is done. */
  readonly stop: () => Promise<void>
}

/** An operator as it is in its process, with Kafka in good health. */
export function anOperator(
  cluster: FakeCluster,
  clock: ManualClock,
  {
    kube = cluster,
    identity = 'a',
    log = silentLog,
    wall = clock
  }: { kube?: Kube; identity?: string; log?: Log; wall?: Clock } = {}
): LivingOperator {
  const operator = new Operator({
    kube,
    clock: wall,
    elapsedMs: () => clock.now(),
    log,
    namespaces: ['lake'],
    consumerImage: IMAGE,
    namespace: 'bronze',
    identity,
    upgradesDefinition: false,
    sampleIntervalMs: 15_000,
    secretsIntervalMs: 60_000,
    openSampler: () => ({
      sample: async () => {
        const members = cluster.of('Pod').length
        const group = { state: members === 0 ? 'Empty' : 'Stable', members, foreignMembers: 0, foreign: [] } as const
        return { lag: aLag({ atMs: clock.now() }), offsets: [], group, trouble: undefined }
      },
      close: () => {}
    })
  })
  const stopping = new AbortController()
  const running = operator.run(stopping.signal)
  const stop = async () => {
    stopping.abort()
    let isOver = false
    void running.finally(() => (isOver = true))
    while (!isOver) {
      await clock.advance(1000)
      await setImmediate()
    }
    await running
  }
  return { operator, stop }
}

const BASE = {
  source: { bootstrapServers: ['kafka:9092'] },
  topics: [{ name: 'orders', table: 'bronze.orders', format: 'Json' }],
  sink: { delta: { location: 's3://lake/warehouse', s3: { credentialsSecretRef: { name: 'minio' } } } }
}

/** What people do to a pipeline. */
export const put = (cluster: FakeCluster, spec: object = {}): Promise<KubeObject> =>
  cluster.apply(PIPELINES, {
    apiVersion: PIPELINES.apiVersion,
    kind: PIPELINES.kind,
    metadata: { namespace: 'lake', name: 'shop' },
    spec: { ...BASE, ...spec }
  } as KubeObject)

export async function remove(cluster: FakeCluster): Promise<void> {
  await cluster.delete(PIPELINES, { ...PIPELINES, metadata: { namespace: 'lake', name: 'shop' } })
}

/** A whole life, step by step. */
export const LIFE: readonly (readonly [what: string, act: (cluster: FakeCluster) => Promise<unknown>])[] = [
  ['created', cluster => put(cluster)],
  ['edited', cluster => put(cluster, { batch: { triggerInterval: '20s' } })],
  [
    'scaled',
    cluster => put(cluster, { batch: { triggerInterval: '20s' }, scaling: { mode: 'Partitions', maxReplicas: 2 } })
  ],
  ['suspended', cluster => put(cluster, { batch: { triggerInterval: '20s' }, suspend: true })],
  ['resumed', cluster => put(cluster, { batch: { triggerInterval: '20s' } })],
  ['deleted', remove],
  ['created anew', cluster => put(cluster)]
]

const WATCHED = ['BronzePipeline', 'Deployment', 'ConfigMap', 'ServiceAccount', 'PodDisruptionBudget', 'Pod']

/** All that is there, without what tells when or how often it was written. */
export function snapshot(cluster: FakeCluster): readonly string[] {
  return WATCHED.flatMap(kind => cluster.of(kind))
    .map(({ metadata, ...object }) => {
      const told = { ...metadata, resourceVersion: undefined, generation: undefined }
      return JSON.stringify({ ...object, metadata: told }).replaceAll(/"\d{4}-\d\d-\d\dT[^"]*Z"/g, '"(time)"')
    })
    .toSorted()
}
