import { createHash } from 'node:crypto'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import { PIPELINES, type KubeObject, type OwnerReference } from '../kube/kube.ts'

export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const OPERATOR = 'bronze-operator'
export const PIPELINE_LABEL = 'bronze.dev/pipeline'
/** Hash of what was applied last, on every object that we own. */
export const APPLIED = 'bronze.dev/applied'
/** Hash of the Secrets a consumer was started with, on its pod. */
export const SECRETS_HASH = 'bronze.dev/secrets'
/** Names of the Secrets, with commas, that consumers read at their start alone, on their pods. */
export const RESTART_SECRETS = 'bronze.dev/restart-secrets'
/** Generation of the pipeline that a Deployment was last applied for. */
export const GENERATION = 'bronze.dev/generation'

const MAX_LABEL = 63

/** Name of a pipeline's Deployment, ServiceAccount and PodDisruptionBudget. */
export const consumerName = (pipeline: string): string => fitting(`${pipeline}-consumer`)

/** What selects the pods of a pipeline; never changes while the Deployment lives. */
export const selectorLabels = (pipeline: string): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': 'bronze-consumer',
  [PIPELINE_LABEL]: pipeline
})

export const ownLabels = (pipeline: string): Readonly<Record<string, string>> => ({
  ...selectorLabels(pipeline),
  [MANAGED_BY]: OPERATOR
})

/** Labels as the API selects by them: `a=b,c=d`. */
export const selectorText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

export function ownerReference({ metadata: { name, uid = '' } }: BronzePipeline): OwnerReference {
  const { apiVersion, kind } = PIPELINES
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** Whose an object is: `former` is a pipeline of this name that was deleted and whose objects the cluster will collect. */
export function ownership(object: KubeObject, pipeline: BronzePipeline): 'ours' | 'former' | 'foreign' {
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner?.kind !== PIPELINES.kind || owner.name !== pipeline.metadata.name) return 'foreign'
  return owner.uid === pipeline.metadata.uid ? 'ours' : 'former'
}

/** Ten hexadecimal characters. */
export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 10)

/** Two long names that differ stay different when they are cut to the length of a label. */
function fitting(name: string): string {
  return name.length <= MAX_LABEL ? name : `${name.slice(0, MAX_LABEL - 11)}-${shortHash(name)}`
}
