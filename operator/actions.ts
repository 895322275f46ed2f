import type { BronzePipeline } from '../crds/pipeline.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { isAsAdmitted } from './objects/admitted.ts'
import { changes, covers } from './objects/covers.ts'
import type { Choice } from './revision/current-revision.ts'
import { BUDGETS, CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS, type KubeObject, type ResourceType } from './kube/kube.ts'
import { leftovers } from './objects/leftovers.ts'
import { APPLIED, GENERATION, ownership } from './objects/names.ts'
import type { Observed } from './plan.ts'
import { budget, deployment, serviceAccount } from './objects/resources.ts'
import { configOf, revisionObject, type Revision } from './revision/revision.ts'
import type { Workload } from './objects/workload.ts'

export type Action = {
  readonly do: 'apply' | 'delete'
  readonly type: ResourceType
  /** A resource version in it must still be the object's. */
  readonly object: KubeObject
}

/**
 * The same in groups, one after the other; what is in one group may be done at once. Pods need what they mount before they are
 * made, and nothing is deleted before what takes its place is there.
 */
export function inGroups(actions: readonly Action[]): readonly (readonly Action[])[] {
  const needed = actions.filter(({ do: verb, type }) => verb === 'apply' && type !== DEPLOYMENTS)
  const running = actions.filter(({ do: verb, type }) => verb === 'apply' && type === DEPLOYMENTS)
  const leftOver = actions.filter(({ do: verb }) => verb === 'delete')
  return [needed, running, leftOver].filter(group => group.length > 0)
}

/** What is to run. */
export interface Target {
  readonly pipeline: BronzePipeline
  readonly settled: SettledPipeline
  readonly choice: Choice
  readonly replicas: number
  /** Otherwise consumers are neither made nor changed. */
  readonly withDeployment: boolean
}

/** What differs from it, in the order in which it is to be done and told. */
export function actionsFor(target: Target, observed: Observed, workload: Workload, nowMs: number): Action[] {
  const { pipeline, choice, withDeployment } = target
  const { revision, kept } = choice
  const apply = (type: ResourceType, object: KubeObject, there: KubeObject | undefined): Action[] =>
    isToApply(observed, there, object) ? [{ do: 'apply', type, object }] : []
  const config = revisionObject(pipeline, revision)
  const there = named(observed.configMaps, config)
  // Somebody has put something else in its place, which cannot be changed: it goes first, and its end brings us back.
  if (there !== undefined && isToApply(observed, there, config) && !covers(dataOf(there), dataOf(config))) {
    return [{ do: 'delete', type: CONFIG_MAPS, object: there }]
  }
  const account = serviceAccount(pipeline)
  const usesAccount = (revision: Revision) => revision.template.spec.serviceAccountName === account.metadata.name
  const isOrphan = ![revision, ...kept].some(usesAccount) && workload.isRolledOut
  const { deployment, configMaps, pods } = observed
  const left = leftovers({ configMaps, deployment, pods, workload, revision, kept, nowMs })
  return [
    ...(usesAccount(revision) ? apply(SERVICE_ACCOUNTS, account, observed.serviceAccount) : []),
    ...apply(CONFIG_MAPS, config, there),
    ...apply(BUDGETS, budget(pipeline), observed.budget),
    ...(withDeployment ? changesOfDeployment(target, observed) : []),
    ...(isOrphan && observed.serviceAccount
      ? [{ do: 'delete', type: SERVICE_ACCOUNTS, object: observed.serviceAccount } as const]
      : []),
    ...left.map(object => ({ do: 'delete', type: CONFIG_MAPS, object }) as const)
  ]
}

function isToApply({ admitted }: Observed, there: KubeObject | undefined, wanted: KubeObject): boolean {
  if (!changes(there, wanted)) return false
  const isSame = there?.metadata.annotations?.[APPLIED] === wanted.metadata.annotations?.[APPLIED]
  return !(isSame && there !== undefined && admitted !== undefined && isAsAdmitted(admitted, there, wanted))
}

function changesOfDeployment({ pipeline, settled, choice, replicas }: Target, observed: Observed): Action[] {
  const there = observed.deployment
  const { template } = choice.revision
  const object = deployment(pipeline, {
    template,
    rollout: settled.consumer.rollout,
    replicas,
    secrets: observed.secrets
  })
  if (!isToApply(observed, there, object)) return []
  // Who restarts or stops consumers must have seen them as they are: after a failover copies may be behind.
  const isGrave =
    there !== undefined &&
    (configOf(there.spec?.template) !== configOf(template) || (there.spec?.replicas ?? 0) > replicas)
  const resourceVersion = isGrave ? there.metadata.resourceVersion : undefined
  const { generation } = pipeline.metadata
  const { annotations, ...metadata } = object.metadata
  const stamp = generation === undefined ? {} : { [GENERATION]: String(generation) }
  const marked = {
    ...metadata,
    annotations: { ...annotations, ...stamp },
    ...(resourceVersion === undefined ? {} : { resourceVersion })
  }
  return [{ do: 'apply', type: DEPLOYMENTS, object: { ...object, metadata: marked } }]
}

/** What keeps us from doing anything. */
export interface Standing {
  /** An object of that name is not ours. */
  readonly conflict: string | undefined
  /** Objects of a former pipeline are not collected yet, or our copy of the pipeline is older than what it brought about. */
  readonly isWaiting: boolean
}

export function standingInTheWay(observed: Observed): Standing {
  const { pipeline, deployment, serviceAccount, budget, configMaps } = observed
  const there = [deployment, serviceAccount, budget, ...configMaps].filter(object => object !== undefined)
  const foreign = there.find(object => ownership(object, pipeline) === 'foreign')
  const conflict =
    foreign &&
    `${foreign.kind} ${foreign.metadata.name} is not of this pipeline: remove or rename it, or rename the pipeline`
  const isFormer = there.some(object => ownership(object, pipeline) === 'former')
  return { conflict, isWaiting: isFormer || isBehind(pipeline, deployment) }
}

/** Whether the Deployment was applied for a generation that our copy of the pipeline does not have yet. */
function isBehind({ metadata }: BronzePipeline, deployment: KubeObject | undefined): boolean {
  const applied = Number(deployment?.metadata.annotations?.[GENERATION] ?? 0)
  return metadata.generation !== undefined && applied > metadata.generation
}

const dataOf = (object: KubeObject) => (object as { readonly data?: unknown }).data

const named = (objects: readonly KubeObject[], { metadata: { name } }: KubeObject) =>
  objects.find(({ metadata }) => metadata.name === name)
