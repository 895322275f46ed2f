import { isDeepStrictEqual } from 'node:util'
import type { Condition, PlanStatus } from '../../crds/pipeline.ts'
import type { EventNote } from '../kube/events.ts'
import type { KubeObject } from '../kube/kube.ts'
import { SECRETS_HASH } from '../objects/names.ts'
import type { Deployment } from '../objects/workload.ts'
import { configOf } from '../revision/revision.ts'

/** What to tell of conditions that changed. */
export function transitionNotes(before: readonly Condition[], now: readonly Condition[]): EventNote[] {
  return now.flatMap(condition => {
    const old = before.find(({ type }) => type === condition.type)
    return old?.status === condition.status && old.reason === condition.reason ? [] : transition(condition, old)
  })
}

/** Those whose failure is told by itself; Ready would only repeat it. */
const TOLD_WHEN_FALSE = new Set(['SpecAccepted', 'SourceReachable', 'SinkReachable', 'WorkloadAvailable'])
const CALM_REASONS = new Set(['Progressing', 'Suspending', 'Suspended', 'Planned', 'Held', 'NotLookedYet'])

function transition({ type, status, reason, message }: Condition, old: Condition | undefined): EventNote[] {
  if (TOLD_WHEN_FALSE.has(type)) {
    if (status === 'False' && !CALM_REASONS.has(reason)) return [{ type: 'Warning', reason, message }]
    if (status === 'True' && old?.status === 'False' && !CALM_REASONS.has(old.reason)) {
      return [{ type: 'Normal', reason: `${type}Again`, message: `${message} (before: ${old.reason})` }]
    }
    return []
  }
  if (type === 'DataLoss') return [{ type: 'Warning', reason: 'DataLoss', message: `${reason}: ${message}` }]
  if (type === 'ForeignMembers') return [{ type: 'Warning', reason, message }]
  if (type === 'Ready' && status === 'True') return [{ type: 'Normal', reason, message }]
  if (type === 'Ready' && reason === 'Suspended') return [{ type: 'Normal', reason, message }]
  return []
}

/** What to tell of a plan that is not carried out, when it is another than before. */
export function planNotes(before: PlanStatus | undefined, now: PlanStatus | undefined): EventNote[] {
  if (now === undefined || isDeepStrictEqual(before, now)) return []
  return [{ type: 'Normal', reason: 'Planned', message: now.message ?? '' }]
}

/** What to tell of a Deployment that is about to be applied. */
export function deploymentNotes(before: Deployment | undefined, applied: KubeObject, cause?: string): EventNote[] {
  const wanted = applied as Deployment
  const replicas = wanted.spec?.replicas ?? 0
  if (before === undefined) {
    return [{ type: 'Normal', reason: 'Created', message: `starts ${replicas} consumers` }]
  }
  const notes: EventNote[] = []
  if (before.spec?.replicas !== replicas) {
    const why = cause === undefined ? '' : `: ${cause}`
    const message = `from ${before.spec?.replicas ?? 0} to ${replicas} consumers${why}`
    notes.push({ type: 'Normal', reason: 'Scaled', message })
  }
  const [old, next] = [before.spec?.template, wanted.spec?.template]
  const causes = [
    ...(configOf(old) === configOf(next) ? [] : ['the configuration']),
    ...(isOtherSecret(secretsHashOf(old), secretsHashOf(next)) ? ['a Secret'] : []),
    ...(imageOf(old) === imageOf(next) ? [] : ['the image'])
  ]
  if (causes.length > 0) {
    notes.push({ type: 'Normal', reason: 'Restarting', message: `consumers start anew: ${causes.join(', ')} changed` })
  }
  return notes
}

type Template = NonNullable<Deployment['spec']>['template']

const secretsHashOf = (template: Template) => template?.metadata?.annotations?.[SECRETS_HASH]
/** Templates of 0.1.0 have a hash also where no Secret calls for new pods; that it is gone is no change of a Secret. */
const isOtherSecret = (old: string | undefined, next: string | undefined) =>
  old !== undefined && next !== undefined && old !== next
const imageOf = (template: Template) => template?.spec?.containers?.[0]?.image
