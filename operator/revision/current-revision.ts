import type { BronzePipelineStatus, RevisionStatus } from '../../crds/pipeline.ts'
import type { Schema } from '../../crds/schema.ts'
import type { SourceView } from '../facts.ts'
import type { KubeObject } from '../kube/kube.ts'
import { SECRETS_HASH } from '../objects/names.ts'
import {
  adoptedRevision,
  askedOf,
  configOf,
  newRevision,
  revisionIn,
  type Blueprint,
  type PodTemplate,
  type Render,
  type Revision
} from './revision.ts'
import { decideRevision, type Readiness } from './rollback.ts'
import { hitsBoth } from './suspects.ts'
import { readySinceMs, type Deployment, type Pod, type Workload } from '../objects/workload.ts'

/** What the choice of a revision goes by. */
export interface Seen {
  readonly blueprint: Blueprint
  readonly status: BronzePipelineStatus
  readonly deployment: Deployment | undefined
  readonly configMaps: readonly KubeObject[]
  readonly pods: readonly Pod[]
  readonly workload: Workload
  readonly source: SourceView
  /** Of this version of the definition, when it is not the usual one. */
  readonly schema?: Schema | undefined
  /** Consumers that fail at their first records are ready for a moment; healthy are those that are for longer. */
  readonly stableAfterMs: number
  readonly nowMs: number
}

export interface Choice {
  /** The one to apply. */
  readonly revision: Revision
  /** The one that the spec asks for. */
  readonly wanted: Revision
  /** All that may be applied again. */
  readonly kept: readonly Revision[]
  /** What the status says once it is applied. */
  readonly status: RevisionStatus
  /** When to choose again although nothing happens, in ms from now. */
  readonly againMs: number | undefined
}

/** The revision that consumers are to run, of those there are and the one that the spec asks for. */
export function chooseRevision(seen: Seen, render: Render): Choice {
  const { blueprint, status, workload, nowMs } = seen
  const { settled } = blueprint
  const before = status.revision
  const known = knownRevisions(settled.name, status, seen.configMaps)
  const wanted = wantedRevision(seen, known, render)
  const all = new Map([...known, [wanted.name, wanted]])
  const running = before?.name === undefined ? undefined : all.get(before.name)
  const { readiness, againMs } = readinessOf(seen, running)
  const last = before?.lastHealthy === undefined ? undefined : all.get(before.lastHealthy)
  const decided = decideRevision({
    wanted: wanted.name,
    before,
    isThere: name => all.has(name),
    readiness,
    hitsAll: last !== undefined && failuresOf(seen).some(failure => hitsBoth(failure, wanted, last)),
    trouble: workload.trouble ?? seen.source.trouble,
    isSuspended: settled.suspend,
    timeoutMs: timeoutOf(seen),
    nowMs
  })
  const waits = [againMs, decided.againAtMs === undefined ? undefined : decided.againAtMs - nowMs]
  const names = [decided.status.name, decided.status.lastHealthy, decided.status.rolledBack?.name]
  return {
    revision: all.get(decided.apply) ?? wanted,
    wanted,
    kept: names.flatMap(name => (name === undefined ? undefined : all.get(name)) ?? []),
    status: decided.status,
    againMs: waits.reduce((least, ms) => (ms === undefined || (least ?? Infinity) < ms ? least : ms), undefined)
  }
}

/** One by one, each consumer is only begun with once those before it are ready: each has the whole time. */
function timeoutOf({ blueprint, workload }: Seen): number | undefined {
  const { readyTimeoutMs, rollout } = blueprint.settled.consumer
  return readyTimeoutMs && readyTimeoutMs * (rollout === 'Rolling' ? Math.max(1, workload.updated) : 1)
}

/** Names that the status holds: only under these is a template taken from a ConfigMap. */
export const trustedNames = ({ revision }: BronzePipelineStatus): readonly string[] => [
  ...new Set([revision?.name, revision?.rolledBack?.name, revision?.lastHealthy].filter(name => name !== undefined))
]

/** What the ConfigMaps of these names hold, what runs first. */
export function knownRevisions(
  pipelineName: string,
  status: BronzePipelineStatus,
  configMaps: readonly KubeObject[]
): ReadonlyMap<string, Revision> {
  const found = trustedNames(status).flatMap(name => {
    const object = configMaps.find(({ metadata }) => metadata.name === name)
    const revision = revisionIn(pipelineName, object)
    return revision === undefined ? [] : [[name, revision] as const]
  })
  return new Map(found)
}

/** What was made of the same wish before is kept as it is, unless the pipeline asks to follow the operator. */
function wantedRevision(seen: Seen, known: ReadonlyMap<string, Revision>, render: Render): Revision {
  const { blueprint, schema } = seen
  const fresh = () => newRevision(blueprint, render, schema)
  if (blueprint.settled.consumer.upgrade === 'Automatic') return fresh()
  const wish = askedOf(blueprint, schema)
  return known.values().find(({ asked }) => asked === wish) ?? adopted(seen) ?? fresh()
}

/** What an operator from before there were revisions made of this very generation: it goes on as it is. */
function adopted({ blueprint, status, deployment, configMaps, schema }: Seen): Revision | undefined {
  const { metadata } = blueprint.pipeline
  const live = deployment?.spec?.template as PodTemplate | undefined
  const wasDone = status.revision === undefined && status.observedGeneration === metadata.generation
  if (live === undefined || !wasDone || live.spec.containers[0]?.image !== blueprint.image) return undefined
  const isHeld = status.conditions?.some(({ status, reason }) => status === 'False' && NOT_DONE.has(reason)) ?? true
  const name = configOf(live)
  const config = configMaps.find(({ metadata }) => metadata.name === name) as
    | { data?: Record<string, string> }
    | undefined
  const text = config?.data?.['pipeline.yaml']
  if (isHeld || text === undefined) return undefined
  const { [SECRETS_HASH]: _hash, ...annotations } = live.metadata.annotations ?? {}
  const template = { ...live, metadata: { ...live.metadata, annotations } }
  return adoptedRevision(blueprint, { config: text, template }, schema)
}

/** Reasons for which a generation that was seen was not carried out. */
const NOT_DONE = new Set(['InvalidSpec', 'ApplyFailed', 'NameConflict', 'SecretMissing'])

function readinessOf(
  { deployment, pods, workload, stableAfterMs, nowMs }: Seen,
  running: Revision | undefined
): { readonly readiness: Readiness; readonly againMs?: number } {
  // Nobody has begun with what was applied last.
  if (running === undefined || !workload.exists || workload.wanted === 0 || !workload.isSeen)
    return { readiness: 'None' }
  const config = configOf(running.template)
  const isRunning = configOf(deployment?.spec?.template) === config && workload.isRolledOut
  if (!isRunning || workload.ready < workload.wanted) return { readiness: 'NotReady' }
  const againMs = readySinceMs(pods, nowMs) + stableAfterMs - nowMs
  return againMs > 0 ? { readiness: 'Ready', againMs } : { readiness: 'Stable' }
}

const failuresOf = ({ source, workload }: Seen) => [
  ...(source.trouble === undefined ? [] : [{ reason: source.trouble.reason, seenBy: 'Source' as const }]),
  ...(workload.trouble === undefined ? [] : [{ reason: workload.trouble.reason, seenBy: 'Consumer' as const }])
]
