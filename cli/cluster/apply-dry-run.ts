import type { BronzePipeline } from '../../crds/pipeline.ts'
import { pipelineSchema } from '../../crds/schema.ts'
import { judgeAsServer } from '../../crds/validate.ts'
import { withoutDefaults } from '../../crds/without-defaults.ts'
import { KubeError, PIPELINES, type KubeObject } from '../../operator/kube/kube.ts'
import { FIELD_MANAGER, type Cluster } from './cluster.ts'
import { appliedPatch, merged } from './merge-patch.ts'
import { notInstalled } from './trouble.ts'

/** What would become of a pipeline if its file were applied. */
export type Applied =
  | {
      readonly outcome: 'accepted'
      readonly before: BronzePipeline | undefined
      readonly after: BronzePipeline
      /** The API server, or we alone since it does not let us ask. */
      readonly judge: 'server' | 'here'
    }
  | { readonly outcome: 'refused'; readonly message: string }

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Field manager of `kubectl apply`. */
const KUBECTL = 'kubectl-client-side-apply'
const REFUSALS = new Set([400, 403, 404, 409, 422])

interface Managed extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly managedFields?: readonly ManagedField[] }
}

interface ManagedField {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
}

/** Asks the API server in a dry run, the way that its owner applies it. Throws KubeError when there is no answer. */
export async function appliedInDryRun(cluster: Cluster, document: BronzePipeline, namespace: string): Promise<Applied> {
  const { kube } = cluster
  const manifest = manifestOf(document, namespace)
  const live = (await kube.get(PIPELINES, namespace, manifest.metadata.name)) as (BronzePipeline & Managed) | undefined
  try {
    const after = (await asked(cluster, manifest, live)) as BronzePipeline
    return { outcome: 'accepted', before: live, after, judge: 'server' }
  } catch (error) {
    if (!(error instanceof KubeError && REFUSALS.has(error.status))) throw error
    if (error.status === 403 && /cannot (?:patch|create) resource/.test(error.message))
      return judgedHere(manifest, live)
    if (error.status === 404 && !/namespaces/.test(error.message)) throw notInstalled(cluster.context)
    return { outcome: 'refused', message: error.message }
  }
}

async function asked({ kube }: Cluster, manifest: Manifest, live: Managed | undefined): Promise<KubeObject> {
  if (live === undefined) return await kube.apply(PIPELINES, manifest, { dryRun: true, fieldManager: FIELD_MANAGER })
  const name = { namespace: manifest.metadata.namespace, name: manifest.metadata.name }
  const owner = applierOf(live)
  if (owner !== undefined && live.metadata.annotations?.[LAST_APPLIED] === undefined) {
    return await kube.apply(PIPELINES, manifest, { dryRun: true, fieldManager: owner })
  }
  return await kube.mergePatch(PIPELINES, name, patchOf(manifest, live), { dryRun: true, fieldManager: KUBECTL })
}

/** Whoever holds the spec by server-side apply: only under its name does what it no longer says go away. */
function applierOf({ metadata: { managedFields = [] } }: Managed): string | undefined {
  return managedFields.find(({ operation, subresource }) => operation === 'Apply' && subresource === undefined)?.manager
}

function patchOf({ spec, metadata }: Manifest, live: Managed): object {
  const last = lastApplied(live)
  const patches = (['labels', 'annotations'] as const).map(
    field => [field, appliedPatch(last?.metadata?.[field] ?? {}, metadata[field] ?? {})] as const
  )
  // One by one: others have labels and annotations there, too.
  const told = patches.filter(([, patch]) => Object.keys(patch as object).length > 0)
  return { spec: appliedPatch(last?.spec, spec), ...(told.length > 0 ? { metadata: Object.fromEntries(told) } : {}) }
}

/** What differs is told without kubectl's own note of what was applied. */
export function withoutNote<T extends KubeObject>(object: T): T {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {}
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function lastApplied({ metadata }: Managed): Partial<Manifest> | undefined {
  try {
    return JSON.parse(metadata.annotations?.[LAST_APPLIED] ?? '') as Partial<Manifest>
  } catch {
    return undefined
  }
}

function judgedHere(manifest: Manifest, live: (BronzePipeline & Managed) | undefined): Applied {
  const wanted = live === undefined ? manifest : merged(live, patchOf(manifest, live))
  const judged = judgeAsServer(wanted, live)
  if (judged.ok) return { outcome: 'accepted', before: live, after: judged.pipeline, judge: 'here' }
  return { outcome: 'refused', message: judged.problems.map(({ path, message }) => `${path}: ${message}`).join('; ') }
}

interface Manifest extends KubeObject {
  readonly spec: unknown
}

/** Without the defaults that reading it has filled in: the API server fills those of its own definition. */
function manifestOf({ apiVersion, kind, metadata, spec }: BronzePipeline, namespace: string): Manifest {
  const { name, labels, annotations } = metadata
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: withoutDefaults(spec, pipelineSchema.properties?.['spec'])
  }
}
