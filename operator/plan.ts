import type { BronzePipeline, BronzePipelineStatus } from '../crds/pipeline.ts'
import type { Schema } from '../crds/schema.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import type { ParseResult } from '../crds/validate.ts'
import { actionsFor, standingInTheWay, type Action, type Target } from './actions.ts'
import type { Taken } from './claims/claim-index.ts'
import { conditionsOf } from './status/conditions.ts'
import { chooseRevision, type Choice } from './revision/current-revision.ts'
import type { PlannedChange } from './objects/dry-run.ts'
import type { EventNote } from './kube/events.ts'
import type { Facts, SourceView } from './facts.ts'
import { DEPLOYMENTS, type KubeObject } from './kube/kube.ts'
import { deploymentNotes, planNotes, transitionNotes } from './status/notes.ts'
import { planStatus } from './status/plan-status.ts'
import { render } from './objects/pod-template.ts'
import {
  bytesOf,
  configOf,
  MAX_CONFIG_BYTES,
  mountedSecrets,
  type Blueprint,
  type Render
} from './revision/revision.ts'
import { sizeOf } from './scaling/size.ts'
import { missingSecrets } from './objects/secret-names.ts'
import { statusOf } from './status/status.ts'
import { workloadOf, type Deployment, type Pod, type Workload } from './objects/workload.ts'

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
  /** What admission made of objects that were applied, which is not to be fought over. */
  readonly admitted?: ReadonlyMap<string, string> | undefined
  /** What the API server said when it refused to apply an object of the plan just made. */
  readonly refusal?: string
  /** What it said that the plan just made would change, in mode Plan. */
  readonly dryRun?: readonly PlannedChange[]
}

export interface Plan {
  /** In this order. */
  readonly actions: readonly Action[]
  /** What would be done instead of nothing, in mode Plan. */
  readonly proposed: readonly Action[] | undefined
  readonly status: BronzePipelineStatus
  readonly notes: readonly EventNote[]
  /** Objects of a former pipeline of this name stand in the way until the cluster has collected them. */
  readonly isWaiting: boolean
  /** When to plan again although nothing has changed. */
  readonly lookAgainMs: number | undefined
}

/** What another version of the operator has otherwise. */
export interface Version {
  readonly render?: Render | undefined
  readonly schema?: Schema | undefined
  /** How long consumers must be ready until what they run counts as healthy. */
  readonly stableAfterMs?: number | undefined
}

const STABLE_AFTER_MS = 30_000

/** What is to be done so that what runs is what the spec asks for, and what the status should say. */
export function plan(observed: Observed, operatorImage: string, nowMs: number, version: Version = {}): Plan {
  const workload = workloadOf(observed.deployment, observed.pods)
  const intent = intentOf(observed, { operatorImage, workload, nowMs, version })
  const due = intent.target === undefined ? [] : actionsFor(intent.target, observed, workload, nowMs)
  const isPlanned = intent.settled?.mode === 'Plan'
  const actions = isPlanned ? [] : due
  const { applied, revision, image, scaling } = outcomeOf(observed, intent, { workload, actions })
  const facts: Facts = {
    ...intent,
    generation: observed.pipeline.metadata.generation ?? 0,
    refusal: observed.refusal,
    claim: observed.claim,
    source: observed.source,
    workload,
    pods: observed.pods.length,
    revision,
    planned: isPlanned ? due.length : undefined,
    isChanging: intent.isWaiting || applied !== undefined
  }
  const { metadata, status: before = {} } = observed.pipeline
  const conditions = conditionsOf(facts, before.conditions ?? [], nowMs)
  const planned = isPlanned ? planStatus(facts, observed.dryRun, before.plan) : undefined
  const defaultImage = defaultImageOf(intent, before, operatorImage)
  const runs = { name: metadata.name, image, defaultImage, scaling, revision, plan: planned, status: before }
  const cause = observed.claim === undefined ? intent.sizing.cause : undefined
  return {
    actions,
    proposed: isPlanned ? due : undefined,
    status: statusOf(facts, runs, conditions),
    notes: [
      ...(applied === undefined ? [] : deploymentNotes(observed.deployment, applied, cause)),
      ...planNotes(before.plan, planned),
      ...transitionNotes(before.conditions ?? [], conditions)
    ],
    isWaiting: intent.isWaiting,
    lookAgainMs: soonest(intent.sizing.lookAgainMs, intent.choice?.againMs)
  }
}

interface Moment {
  readonly operatorImage: string
  readonly workload: Workload
  readonly nowMs: number
  readonly version: Version
}

/** What we want, and what keeps us from it. */
interface Intent extends Pick<
  Facts,
  'settled' | 'problems' | 'missingSecrets' | 'conflict' | 'sizing' | 'isCompleted'
> {
  readonly isWaiting: boolean
  readonly image: string | undefined
  readonly replicas: number | undefined
  readonly choice: Choice | undefined
  /** Undefined: nothing may be done. */
  readonly target: Target | undefined
}

function intentOf(observed: Observed, moment: Moment): Intent {
  const { parsed } = observed
  const { workload, nowMs, operatorImage } = moment
  const before = observed.pipeline.status ?? {}
  if (!parsed.ok) {
    const sizing = { replicas: undefined, reason: 'Held', state: before.scaling } as const
    return { ...NOTHING, sizing, problems: parsed.problems, image: before.image }
  }
  const { pipeline } = parsed
  const settled = settle(pipeline)
  const isCompleted = completionOf(settled, observed)
  const sizing = sizeOf({ settled, source: observed.source, workload, status: before, isCompleted, nowMs })
  // Without what belongs to another pipeline none is started, and those that run are stopped.
  const replicas = observed.claim === undefined ? sizing.replicas : workload.exists ? 0 : undefined
  const image = imageOf(settled, before, observed.deployment, operatorImage)
  const choice = choiceFor({ pipeline, settled, image }, observed, moment)
  const lacking = missingSecrets(settled, name => observed.secrets.get(name) !== undefined)
  const common = { settled, sizing, isCompleted, image, replicas, missingSecrets: lacking }
  const problems = tooLong(choice)
  if (problems.length > 0) return { ...NOTHING, ...common, problems }
  const standing = standingInTheWay(observed)
  // Pods whose Secret is gone would not start; those that run need it no more. Stopping is always possible.
  const isBlocked = !settled.suspend && lacksSecrets(choice, observed)
  const withDeployment = (workload.exists || replicas !== undefined) && !isBlocked
  const target = { pipeline, settled, choice, replicas: replicas ?? workload.wanted, withDeployment }
  const isFree = standing.conflict === undefined && !standing.isWaiting
  return { ...common, ...standing, problems, choice, target: isFree ? target : undefined }
}

/** What was completed stays so until the spec changes: offsets in the group expire, and topics are deleted. */
function completionOf({ topics }: SettledPipeline, { pipeline, source }: Observed): boolean | undefined {
  if (!topics.every(({ endAt }) => endAt !== undefined)) return undefined
  const before = pipeline.status?.conditions?.find(({ type }) => type === 'Completed')
  const isStill = before?.status === 'True' && before.observedGeneration === pipeline.metadata.generation
  return isStill || source.lag?.isComplete === true
}

const NOTHING = {
  settled: undefined,
  missingSecrets: [],
  conflict: undefined,
  isWaiting: false,
  replicas: undefined,
  choice: undefined,
  target: undefined
}

/** What consumers are once this turn is done; what was not done is not remembered as done. */
function outcomeOf(
  observed: Observed,
  { target, sizing, replicas, image, settled }: Intent,
  { workload, actions }: { readonly workload: Workload; readonly actions: readonly Action[] }
) {
  const before = observed.pipeline.status ?? {}
  const applied = actions.find(({ type }) => type === DEPLOYMENTS)?.object
  const isRefused = observed.refusal !== undefined
  // What runs already is remembered also while nothing may be changed.
  const isThere = target !== undefined && (target.withDeployment || runs(observed, target.choice))
  const isApplied = isThere && settled?.mode !== 'Plan' && !isRefused
  const isSized = (applied !== undefined && !isRefused) || replicas === workload.wanted
  return {
    applied,
    revision: isApplied ? target.choice.status : before.revision,
    image: isApplied ? target.choice.revision.template.spec.containers[0]?.image : image,
    scaling: isSized && observed.claim === undefined ? sizing.state : before.scaling
  }
}

const runs = ({ deployment }: Observed, { revision }: Choice): boolean =>
  deployment !== undefined && configOf(deployment.spec?.template) === configOf(revision.template)

function choiceFor(blueprint: Blueprint, observed: Observed, { workload, nowMs, version }: Moment): Choice {
  const { pipeline, deployment, configMaps, pods, source } = observed
  const { stableAfterMs = STABLE_AFTER_MS, schema } = version
  const common = { deployment, configMaps, pods, source, workload, stableAfterMs, nowMs }
  return chooseRevision({ blueprint, status: pipeline.status ?? {}, schema, ...common }, version.render ?? render)
}

function tooLong({ wanted }: Choice): Facts['problems'] {
  const bytes = bytesOf(wanted)
  if (bytes <= MAX_CONFIG_BYTES) return []
  const remedy = 'divide spec.topics between several pipelines'
  const message = `what consumers read takes ${bytes} bytes, and a ConfigMap holds ${MAX_CONFIG_BYTES}: ${remedy}`
  return [{ path: 'spec', message }]
}

const lacksSecrets = ({ revision }: Choice, { secrets }: Observed): boolean =>
  mountedSecrets(revision.template).some(name => secrets.get(name) === undefined)

const soonest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : Math.min(a, b ?? a)

/** A new operator does not change the image of pipelines that run, unless they ask for it. */
function imageOf(
  { consumer }: SettledPipeline,
  before: BronzePipelineStatus,
  running: Deployment | undefined,
  operatorImage: string
): string {
  if (consumer.image !== undefined) return consumer.image
  if (consumer.upgrade === 'Automatic') return operatorImage
  return before.defaultImage ?? before.image ?? running?.spec?.template?.spec?.containers?.[0]?.image ?? operatorImage
}

/** What comes back when `consumer.image` is removed; a pipeline that has always had one has the operator's of when it was seen. */
function defaultImageOf(
  { settled, image }: Pick<Intent, 'settled' | 'image'>,
  before: BronzePipelineStatus,
  operatorImage: string
): string | undefined {
  if (settled === undefined) return before.defaultImage
  return settled.consumer.image === undefined ? image : (before.defaultImage ?? operatorImage)
}
