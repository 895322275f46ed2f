import type { KubeObject } from './kube.ts'
import type { Pod } from '../objects/workload.ts'

/** Every field of a type, so that one that is added to it must be named here, too. */
type Each<T> = { readonly [Field in keyof Required<T>]: T[Field] }

/**
 * Of a pod what the operator reads. There are more pods than anything else, and most of one repeats its
 * Deployment.
 */
export function keptOfPod(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, spec, status }: Pod = object
  const volumes = spec?.volumes?.filter(({ configMap }) => configMap !== undefined)
  const keptSpec: Each<NonNullable<Pod['spec']>> = { volumes }
  const keptStatus: Each<NonNullable<Pod['status']>> = {
    phase: status?.phase,
    conditions: status?.conditions,
    containerStatuses: status?.containerStatuses
  }
  const kept: Each<Pod> = {
    apiVersion,
    kind,
    metadata,
    spec: keptSpec as Pod['spec'],
    status: keptStatus as Pod['status']
  }
  return kept
}
