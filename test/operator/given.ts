import type { BronzePipeline, BronzePipelineStatus } from '../../crds/pipeline.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { settle } from '../../crds/settle.ts'
import { parsePipeline } from '../../crds/validate.ts'
import type { KubeObject } from '../../operator/kube/kube.ts'
import type { EntryLag, PipelineLag } from '../../operator/source/lag.ts'
import { type Observed, type Plan, plan } from '../../operator/plan.ts'
import { render } from '../../operator/objects/pod-template.ts'
import { budget, deployment, serviceAccount } from '../../operator/objects/resources.ts'
import { newRevision, revisionObject } from '../../operator/revision/revision.ts'
import type { Deployment, Pod } from '../../operator/objects/workload.ts'

export const NOW = Date.parse('2026-06-01T12:00:00Z')

const BASE = {
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: {
    name: 'shop',
    namespace: 'lake',
    uid: 'uid-1',
    generation: 3,
    creationTimestamp: '2026-06-01T11:00:00Z'
  },
  spec: {
    source: { bootstrapServers: ['kafka:9092'] },
    topics: [{ name: 'orders', table: 'bronze.orders', format: 'Json' }],
    sink: { delta: { location: 's3://lake/warehouse', s3: { credentialsSecretRef: { name: 'minio' } } } }
  }
}

/** A pipeline as the API server gives it; `spec` is merged in, field by field. */
export function aPipeline(spec: object = {}, status?: BronzePipelineStatus): BronzePipeline {
  const document = { ...BASE, spec: { ...BASE.spec, ...spec }, ...(status === undefined ? {} : { status }) }
  const parsed = parsePipeline(document)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.pipeline
}

export const aSettled = (spec: object = {}): SettledPipeline => settle(aPipeline(spec))

export const anEntry = (change: Partial<EntryLag> = {}): EntryLag => ({
  name: 'orders',
  table: 'bronze.orders',
  topics: ['orders'],
  missing: undefined,
  partitions: 3,
  lag: 0,
  behindSeconds: 0,
  committed: 10,
  lastCommit: { atMs: NOW - 1000, version: '7' },
  deadLetters: 0,
  sinkError: undefined,
  dataLoss: undefined,
  ...change
})

/** Three partitions, all read. */
export function aLag(change: Partial<PipelineLag> = {}, entry: Partial<EntryLag> = {}): PipelineLag {
  const entries = change.entries ?? [anEntry(entry)]
  const figures = { lag: 0, behindSeconds: 0, deadLetters: 0, partitions: 3 }
  return { atMs: NOW, ...figures, unknownPartitions: 0, reportedPartitions: 3, ...change, entries }
}

/** What a reconcile sees of a pipeline that was just made, its source looked at. */
export function observing(pipeline: BronzePipeline, change: Partial<Observed> = {}): Observed {
  return {
    pipeline,
    parsed: parsePipeline(pipeline),
    deployment: undefined,
    serviceAccount: undefined,
    budget: undefined,
    configMaps: [],
    pods: [],
    secrets: new Map([['minio', 'hash-1']]),
    source: { lag: aLag(), trouble: undefined },
    ...change
  }
}

/** What is seen after a plan was carried out and its pods became ready. */
export function afterwards(observed: Observed, { actions, status }: Plan): Observed {
  const applied = (kind: string) =>
    actions.filter(action => action.do === 'apply' && action.type.kind === kind).map(({ object }) => object)
  const deleted = new Set(actions.filter(action => action.do === 'delete').map(({ object }) => object.metadata.name))
  const changed = applied('ConfigMap')
  const kept = observed.configMaps.filter(
    ({ metadata: { name } }) => !deleted.has(name) && !changed.some(({ metadata }) => metadata.name === name)
  )
  const deployment: Deployment | undefined = applied('Deployment')[0] ?? observed.deployment
  const running = deployment && withAllReady(deployment)
  return {
    ...observed,
    pipeline: { ...observed.pipeline, status },
    deployment: running,
    serviceAccount: applied('ServiceAccount')[0] ?? observed.serviceAccount,
    budget: applied('PodDisruptionBudget')[0] ?? observed.budget,
    configMaps: [...kept, ...changed],
    pods: running === undefined ? [] : podsOf(running)
  }
}

export function withAllReady(deployment: Deployment): Deployment {
  const replicas = deployment.spec?.replicas ?? 0
  const status = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas }
  return { ...deployment, status: { ...status, observedGeneration: 1 } }
}

function podsOf(deployment: Deployment): Pod[] {
  const { template } = deployment.spec as { template: { spec: Pod['spec'] } }
  return Array.from({ length: deployment.spec?.replicas ?? 0 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${index}`, namespace: 'lake' },
    spec: template.spec ?? {},
    status: { containerStatuses: [{ name: 'consumer', ready: true }] }
  }))
}

/** The pipeline as it runs in peace: everything made, ready and reported. */
export function inPeace(pipeline: BronzePipeline = aPipeline()): Observed {
  let observed = observing(pipeline)
  for (let turn = 0; turn < 3; turn++) observed = afterwards(observed, plan(observed, IMAGE, NOW))
  return observed
}

export const IMAGE = 'bronze:1'

/** The objects of a pipeline that two consumers read, as this version makes them. */
export function objectsOf(pipeline: BronzePipeline, image = IMAGE, secrets: ReadonlyMap<string, string> = new Map()) {
  const settled = settle(pipeline)
  const revision = newRevision({ pipeline, settled, image }, render)
  const { rollout } = settled.consumer
  return {
    account: serviceAccount(pipeline),
    config: revisionObject(pipeline, revision),
    budget: budget(pipeline),
    deployment: deployment(pipeline, { template: revision.template, rollout, replicas: 2, secrets })
  }
}

/** `apply Deployment shop-consumer` */
export const sentences = ({ actions }: Plan): string[] =>
  actions.map(({ do: verb, object }) => `${verb} ${object.kind} ${object.metadata.name}`)

export const conditionOf = ({ status }: Plan, type: string): string => {
  const condition = status.conditions?.find(condition => condition.type === type)
  return condition === undefined ? 'absent' : `${condition.status} ${condition.reason}`
}

export const deploymentIn = ({ actions }: Plan): Deployment | undefined =>
  actions.find(({ object }) => object.kind === 'Deployment')?.object

/** The same object, of somebody else. */
export const foreign = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { name: object.metadata.name, namespace: 'lake' }
})
