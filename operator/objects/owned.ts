import type { BronzePipeline } from '../../crds/pipeline.ts'
import type { KubeObject } from '../kube/kube.ts'
import { APPLIED, ownerReference, ownLabels, shortHash } from './names.ts'

/** An object of the pipeline, marked with the hash of its own content. */
export function owned(
  pipeline: BronzePipeline,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  name: string,
  content: object
): KubeObject {
  const labels = ownLabels(pipeline.metadata.name)
  const ownerReferences = [ownerReference(pipeline)]
  const hash = shortHash(JSON.stringify([content, labels]))
  const { namespace = 'default' } = pipeline.metadata
  const metadata = { namespace, name, labels, annotations: { [APPLIED]: hash }, ownerReferences }
  return { apiVersion, kind, metadata, ...content }
}
