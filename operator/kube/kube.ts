import type { ObjectMeta } from '../../crds/pipeline.ts'

/** A kind of Kubernetes resource, as URLs name it. */
export interface ResourceType {
  /** `v1`, `apps/v1` */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

export const PIPELINES = { apiVersion: 'bronze.dev/v1alpha1', kind: 'BronzePipeline', plural: 'bronzepipelines' }
export const DEPLOYMENTS = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' }
export const CONFIG_MAPS = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
export const SERVICE_ACCOUNTS = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' }
export const BUDGETS = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' }
export const PODS = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' }
export const SECRETS = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' }
export const EVENTS = { apiVersion: 'v1', kind: 'Event', plural: 'events' }
export const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' }
export const DEFINITIONS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions'
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface Metadata extends ObjectMeta {
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly error: KubeError }

export interface Page {
  readonly items: readonly KubeObject[]
  readonly resourceVersion: string
  /** Token of the next page; undefined on the last. */
  readonly next: string | undefined
}

export interface Selection {
  /** All namespaces when undefined. */
  readonly namespace: string | undefined
  readonly labelSelector?: string
  /** For lists alone. */
  readonly fieldSelector?: string
}

/** An answer of the API server that is not a success, or that did not come. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** The server asks not to come back sooner. */
  readonly retryAfterMs: number | undefined
  constructor(status: number, message: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, options)
    this.status = status
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface CallOptions {
  /** Aborted: the call fails soon, and what became of it is not known. */
  readonly signal?: AbortSignal | undefined
}

export interface PatchOptions extends CallOptions {
  readonly dryRun?: boolean
  /** `bronze-operator` when absent. */
  readonly fieldManager?: string
}

export interface ApplyOptions extends PatchOptions {
  /** `status`, `scale` */
  readonly subresource?: string
}

export interface ObjectName {
  readonly namespace?: string | undefined
  readonly name: string
  /** Makes sure that it is still the same object: 409 otherwise. */
  readonly uid?: string | undefined
}

/** The API server as the operator uses it. Every method throws KubeError. */
export interface Kube {
  /** Never from a cache; undefined when there is none. */
  get(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: CallOptions
  ): Promise<KubeObject | undefined>
  /** At most 500 objects a page; `next` is the token of the page before. */
  list(type: ResourceType, selection: Selection, next: string | undefined, signal: AbortSignal): Promise<Page>
  /** What happens after `resourceVersion`. Ends after about `timeoutSeconds`; throws when it falls silent. */
  watch(
    type: ResourceType,
    selection: Selection,
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal
  ): AsyncIterable<WatchEvent>
  /**
   * Server-side apply with force. A uid in the metadata makes sure that it is still the same object, a resource version that
   * nobody has changed it: 409 otherwise.
   */
  apply(type: ResourceType, object: KubeObject, options?: ApplyOptions): Promise<KubeObject>
  applyStatus(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  create(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** Replaces; the resource version in the metadata must still be the object's (409 otherwise). */
  update(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** JSON merge patch (RFC 7386): null takes a field away. */
  mergePatch(type: ResourceType, name: ObjectName, patch: object, options?: PatchOptions): Promise<KubeObject>
  /** Deletes this very object; one that is gone, or is another by now, is left as it is. */
  delete(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<void>
}

/** `namespace/name` */
export const keyOf = ({ metadata: { namespace = '', name } }: { readonly metadata: Metadata }): string =>
  `${namespace}/${name}`
