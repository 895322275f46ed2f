import type { KubeObject } from '../kube/kube.ts'
import { configOf, type Revision } from '../revision/revision.ts'
import type { Deployment, Pod, Workload } from './workload.ts'

/** A copy of the cluster may be behind by less: what looks left over may be in use by something that is not seen yet. */
const YOUNG_MS = 120_000

/** What there is of a pipeline's ConfigMaps, and who may need them. */
export interface Holdings {
  readonly configMaps: readonly KubeObject[]
  readonly deployment: Deployment | undefined
  readonly pods: readonly Pod[]
  readonly workload: Workload
  /** The revision that is to run. */
  readonly revision: Revision
  /** Those that may be applied again. */
  readonly kept: readonly Revision[]
  readonly nowMs: number
}

/**
 * ConfigMaps that nothing needs any more. None while consumers are being changed: pods of either kind may still be
 * made.
 */
export function leftovers({ configMaps, deployment, pods, workload, revision, kept, nowMs }: Holdings) {
  const runs = configOf(deployment?.spec?.template)
  if (!workload.isRolledOut || runs !== configOf(revision.template)) return []
  const used = new Set([
    runs,
    ...[revision, ...kept].flatMap(({ name, template }) => [name, configOf(template)]),
    ...pods.map(({ spec }) => configOf({ spec: spec ?? {} }))
  ])
  const isYoung = ({ creationTimestamp }: KubeObject['metadata']) =>
    creationTimestamp !== undefined && nowMs - Date.parse(creationTimestamp) < YOUNG_MS
  return configMaps.filter(({ metadata }) => !used.has(metadata.name) && !isYoung(metadata))
}
