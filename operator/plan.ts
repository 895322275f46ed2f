import type { BronzePipeline, BronzePipelineStatus } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import type { ParseResult } from '../crds/validate.ts'
import type { Taken } from './claim-index.ts'
import { conditionsOf } from './conditions.ts'
import { changes } from './covers.ts'
import type { EventNote } from './events.ts'
import type { Facts, SourceView } from './facts.ts'
import { BUDGETS, CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS, type KubeObject, type ResourceType } from './kube.ts'
import { HEALTHY, ownership, shortHash } from './names.ts'
import { deploymentNotes, transitionNotes } from './notes.ts'
import { budget, configMap, deployment, secretsOf, serviceAccount, type Blueprint } from './resources.ts'
import { sizeOf, type Sizing } from './scaling/size.ts'
import { statusOf } from './status.ts'
import { workloadOf, type Deployment, type Pod, type Workload } from './workload.ts'

/** What there is now of a pipeline; what is missing is undefined or absent, never an error. */
export interface Observed {
  /** As the API server gave it. */
  readonly pipeline: BronzePipeline
  readonly parsed: ParseResult
  /** Objects that have the names we use, whoever owns them. */
  readonly deployment: Deployment | undefined
  readonly serviceAccount: KubeObject | undefined
  readonly budget: KubeObject | undefined
  readonly configMaps: readonly KubeObject[]
  readonly pods: readonly Pod[]
  /** Hash of the values of each Secret that the pipeline names; undefined when there is no such Secret. */
  readonly secrets: ReadonlyMap<string, string | undefined>
  readonly source: SourceView
  /** What an older pipeline has, for which reason this one may not run. */
  readonly claim?: Taken | undefined
  /** What the API server said when it refused to apply an object of the plan just made. */
  readonly refusal?: string
}

export type Action = {
  readonly do: 'apply' | 'delete'
  readonly type: ResourceType
  readonly object: KubeObject
}

export interface Plan {
  /** In this order. */
  readonly actions: readonly Action[]
  readonly status: BronzePipelineStatus
  readonly notes: readonly EventNote[]
  /** Objects of a former pipeline of this name stand in the way until the cluster has collected them. */
  readonly isWaiting: boolean
  /** When to plan again although nothing has changed. */
  readonly lookAgainMs: number | undefined
}

/** What is to be done so that what runs is what the spec asks for, and what the status should say. */
export function plan(observed: Observed, operatorImage: string, nowMs: number): Plan {
  const { pipeline, parsed } = observed
  const before = pipeline.status ?? {}
  const workload = workloadOf(observed.deployment, observed.pods)
  const settled = parsed.ok ? settle(parsed.pipeline) : undefined
  const sizing: Sizing =
    settled === undefined
      ? { replicas: undefined, reason: 'Held', state: before.scaling }
      : sizeOf({ settled, source: observed.source, workload, status: before, nowMs })
  // Without what belongs to another pipeline none is started, and those that run are stopped.
  const replicas = observed.claim === undefined ? sizing.replicas : workload.exists ? 0 : undefined
  const missingSecrets = settled === undefined ? [] : missing(settled, observed.secrets)
  const image = settled === undefined ? before.image : imageOf(settled, before, observed.deployment, operatorImage)
  const blueprint: Blueprint | undefined =
    parsed.ok && settled !== undefined && image !== undefined
      ? {
          pipeline: parsed.pipeline,
          settled,
          image,
          replicas: replicas ?? workload.wanted,
          secretsHash: shortHash(JSON.stringify([...observed.secrets].sort(byName)))
        }
      : undefined
  const standing = blueprint === undefined ? { conflict: undefined, isWaiting: false } : standingInTheWay(observed)
  const canStart = workload.exists || replicas !== undefined
  // Pods whose Secret is gone would not start; those that run need it no more. Stopping is always possible.
  const isBlocked = missingSecrets.length > 0 && settled?.suspend !== true
  const isFree = blueprint !== undefined && standing.conflict === undefined && !standing.isWaiting
  const actions = isFree ? actionsFor(blueprint, observed, workload, canStart && !isBlocked) : []
  const facts: Facts = {
    generation: pipeline.metadata.generation ?? 0,
    settled,
    problems: parsed.ok ? [] : parsed.problems,
    missingSecrets,
    conflict: standing.conflict,
    refusal: observed.refusal,
    claim: observed.claim,
    source: observed.source,
    sizing,
    workload,
    isChanging: standing.isWaiting || actions.some(({ type }) => type === DEPLOYMENTS)
  }
  const conditions = conditionsOf(facts, before.conditions ?? [], nowMs)
  const applied = actions.find(({ type }) => type === DEPLOYMENTS)?.object
  const cause = observed.claim === undefined ? sizing.cause : undefined
  // A change of the number that cannot be made now is not remembered as made.
  const isSized = (applied !== undefined && observed.refusal === undefined) || replicas === workload.wanted
  const scaling = isSized && observed.claim === undefined ? sizing.state : before.scaling
  return {
    actions,
    status: statusOf(facts, { name: pipeline.metadata.name, image, scaling, status: before }, conditions),
    notes: [
      ...(applied === undefined ? [] : deploymentNotes(observed.deployment, applied, cause)),
      ...transitionNotes(before.conditions ?? [], conditions)
    ],
    isWaiting: standing.isWaiting,
    lookAgainMs: sizing.lookAgainMs
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

function missing(settled: SettledPipeline, secrets: Observed['secrets']): Facts['missingSecrets'] {
  const { security, schemaRegistry } = settled.source
  const { credentialsSecret, caSecret, clientCertificateSecret } = security
  const ofRegistry = [schemaRegistry?.credentialsSecret, schemaRegistry?.caSecret]
  const ofSource = new Set([credentialsSecret, caSecret, clientCertificateSecret, ...ofRegistry])
  return secretsOf(settled)
    .filter(name => secrets.get(name) === undefined)
    .map(name => ({ name, by: ofSource.has(name) ? ('source' as const) : ('sink' as const) }))
}

/** A new operator does not change the image of pipelines that run, unless they ask for it. */
function imageOf(
  { consumer }: SettledPipeline,
  before: BronzePipelineStatus,
  running: Deployment | undefined,
  operatorImage: string
): string {
  if (consumer.image !== undefined) return consumer.image
  if (consumer.upgrade === 'Automatic') return operatorImage
  return before.image ?? running?.spec?.template?.spec?.containers?.[0]?.image ?? operatorImage
}

function standingInTheWay(observed: Observed): { readonly conflict: string | undefined; readonly isWaiting: boolean } {
  const { pipeline, deployment, serviceAccount, budget, configMaps } = observed
  const there = [deployment, serviceAccount, budget, ...configMaps].filter(object => object !== undefined)
  const foreign = there.find(object => ownership(object, pipeline) === 'foreign')
  const conflict =
    foreign &&
    `${foreign.kind} ${foreign.metadata.name} is not of this pipeline: remove or rename it, or rename the pipeline`
  return { conflict, isWaiting: there.some(object => ownership(object, pipeline) === 'former') }
}

function actionsFor(blueprint: Blueprint, observed: Observed, workload: Workload, withDeployment: boolean): Action[] {
  const apply = (type: ResourceType, object: KubeObject, there: KubeObject | undefined): Action[] =>
    changes(there, object) ? [{ do: 'apply', type, object }] : []
  const account = serviceAccount(blueprint)
  const config = currentConfig(blueprint, observed, workload)
  const isOrphan = account === undefined && observed.serviceAccount !== undefined
  return [
    ...(account === undefined ? [] : apply(SERVICE_ACCOUNTS, account, observed.serviceAccount)),
    ...apply(CONFIG_MAPS, config, named(observed.configMaps, config)),
    ...apply(BUDGETS, budget(blueprint), observed.budget),
    ...(withDeployment ? apply(DEPLOYMENTS, deployment(blueprint), observed.deployment) : []),
    ...(isOrphan && observed.serviceAccount && workload.isRolledOut
      ? [{ do: 'delete', type: SERVICE_ACCOUNTS, object: observed.serviceAccount } as const]
      : []),
    ...outdated(observed, config).map(object => ({ do: 'delete', type: CONFIG_MAPS, object }) as const)
  ]
}

/** Marked as healthy once all consumers were ready with it. */
function currentConfig({ pipeline }: Blueprint, observed: Observed, workload: Workload): KubeObject {
  const config = configMap(pipeline)
  const there = named(observed.configMaps, config)
  const isUsed = observed.pods.some(pod => configOf(pod) === config.metadata.name)
  const isHealthy = isUsed && workload.isRolledOut && workload.wanted > 0 && workload.ready === workload.wanted
  if (!isHealthy && there?.metadata.annotations?.[HEALTHY] === undefined) return config
  const annotations = { ...config.metadata.annotations, [HEALTHY]: 'true' }
  return { ...config, metadata: { ...config.metadata, annotations } }
}

/** Those that are neither in use nor the last one that was healthy. */
function outdated({ configMaps, pods }: Observed, current: KubeObject): readonly KubeObject[] {
  const used = new Set([current.metadata.name, ...pods.map(configOf)])
  const isHealthy = ({ metadata }: KubeObject) => metadata.annotations?.[HEALTHY] === 'true'
  const candidates = configMaps.filter(({ metadata }) => !used.has(metadata.name))
  const isCurrentHealthy = isHealthy(current)
  const lastHealthy = candidates.filter(isHealthy).sort(newestFirst)[0]
  return candidates.filter(config => isCurrentHealthy || config !== lastHealthy)
}

const newestFirst = (a: KubeObject, b: KubeObject) =>
  (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')

const configOf = (pod: Pod) => pod.spec?.volumes?.find(({ configMap }) => configMap !== undefined)?.configMap?.name

const named = (objects: readonly KubeObject[], { metadata: { name } }: KubeObject) =>
  objects.find(({ metadata }) => metadata.name === name)
