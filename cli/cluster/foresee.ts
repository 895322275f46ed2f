import type { BronzePipeline, Condition } from '../../crds/pipeline.ts'
import type { Action } from '../../operator/actions.ts'
import { covers } from '../../operator/objects/covers.ts'
import { dryRun, type PlannedChange } from '../../operator/objects/dry-run.ts'
import type { SourceView } from '../../operator/facts.ts'
import { DEPLOYMENTS, type KubeObject } from '../../operator/kube/kube.ts'
import { SECRETS_HASH } from '../../operator/objects/names.ts'
import { deploymentNotes } from '../../operator/status/notes.ts'
import { plan } from '../../operator/plan.ts'
import type { Deployment } from '../../operator/objects/workload.ts'
import type { Cluster } from './cluster.ts'
import { operatorView, type Gap } from './operator-view.ts'

/** What the operator would make of a pipeline. */
export interface Foreseen {
  readonly changes: readonly PlannedChange[]
  /** In sentences. */
  readonly notes: readonly string[]
  readonly consumers: {
    readonly now: number
    /** Undefined: not known yet. */
    readonly afterwards: number | undefined
  }
  /** Those that are not as they should be, and why so many consumers. */
  readonly accepted: Condition | undefined
  readonly scaling: Condition | undefined
  readonly trouble: string | undefined
  readonly gaps: readonly Gap[]
}

/** Works out the operator's next step by its own code, and asks the API server what it would change. Throws KubeError. */
export async function foresee(cluster: Cluster, pipeline: BronzePipeline, source: SourceView): Promise<Foreseen> {
  const { observed, image, gaps } = await operatorView(cluster, pipeline, source)
  const planned = plan(observed, image, Date.now())
  const due = planned.proposed ?? planned.actions
  const actions = gaps.includes('Secrets')
    ? due.flatMap(action => withoutSecretsHash(action, observed.deployment))
    : due
  const changes = await dryRun(cluster.kube, actions)
  const applied: Deployment | undefined = actions.find(
    action => action.do === 'apply' && action.type === DEPLOYMENTS
  )?.object
  const now = observed.deployment?.spec?.replicas ?? 0
  const conditions = planned.status.conditions ?? []
  const find = (type: string) => conditions.find(condition => condition.type === type)
  const isHeld = find('ScalingActive')?.reason === 'Held' && observed.deployment === undefined
  return {
    changes,
    notes: applied === undefined ? [] : deploymentNotes(observed.deployment, applied).map(({ message }) => message),
    consumers: { now, afterwards: isHeld ? undefined : (applied?.spec?.replicas ?? now) },
    accepted: find('SpecAccepted'),
    scaling: find('ScalingActive'),
    trouble: troubleOf(conditions),
    gaps
  }
}

/** What would keep the pipeline from running and is known before it runs. */
const FORESEEABLE = new Set(['SecretMissing', 'NameConflict', 'ClaimedByOther', 'InvalidSpec'])

function troubleOf(conditions: readonly Condition[]): string | undefined {
  const found = conditions.find(({ status, reason }) => status === 'False' && FORESEEABLE.has(reason))
  return found && `${found.reason}: ${found.message}`
}

/** Where we may not read Secrets, consumers are taken to have those of now. */
function withoutSecretsHash(action: Action, live: Deployment | undefined): readonly Action[] {
  if (action.do !== 'apply' || action.type !== DEPLOYMENTS || live === undefined) return [action]
  const hash = annotationsOf(live)[SECRETS_HASH]
  const { spec, ...object } = action.object as Deployment & { readonly spec: { readonly template: Template } }
  const { [SECRETS_HASH]: _, ...annotations } = spec.template.metadata?.annotations ?? {}
  const kept = { ...annotations, ...(hash === undefined ? {} : { [SECRETS_HASH]: hash }) }
  const template = { ...spec.template, metadata: { ...spec.template.metadata, annotations: kept } }
  const same: KubeObject = { ...object, spec: { ...spec, template } } as KubeObject
  return covers(specOf(live), specOf(same)) ? [] : [{ ...action, object: same }]
}

interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
}

const specOf = (object: KubeObject) => (object as { readonly spec?: { readonly template?: Template } }).spec
const annotationsOf = (object: KubeObject) => specOf(object)?.template?.metadata?.annotations ?? {}
