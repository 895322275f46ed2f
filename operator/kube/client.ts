import type { Clock } from '../../lib/clock.ts'
import { type Call, type KubeAccess, KubeHttp, type Status } from './http.ts'
import {
  KubeError,
  type ApplyOptions,
  type CallOptions,
  type Kube,
  type KubeObject,
  type ObjectName,
  type Page,
  type PatchOptions,
  type ResourceType,
  type Selection,
  type WatchEvent
} from './kube.ts'

const FIELD_MANAGER = 'bronze-operator'
const PAGE_ITEMS = 500
const TIMEOUT_MS = 30_000
/** A page of large objects over a slow line may take so many times as long. */
const LIST_TIMES = 4
/**
 * Bookmarks come about once a minute, from the first change of a kind of objects on: a watch that has spoken and is silent
 * for longer has died without saying so. One that never spoke is given up soon after its agreed end.
 */
const WATCH_IDLE_MS = 90_000
const WATCH_END_MARGIN_MS = 5000
/** The longest that a timer can be set to: for what may be silent as long as it likes. */
const FOREVER_MS = 2 ** 31 - 1

/** What of a pod's log is wanted, as `kubectl logs` names it. */
export interface LogOptions {
  readonly container?: string
  readonly follow?: boolean
  readonly sinceSeconds?: number
  /** RFC 3339; to the second. */
  readonly sinceTime?: string
  readonly tailLines?: number
  readonly previous?: boolean
  readonly timestamps?: boolean
}

/** The API server over HTTP. */
export class KubeClient implements Kube {
  readonly #http: KubeHttp
  readonly #listTimeoutMs: number
  readonly #watchIdleMs: number

  constructor(access: KubeAccess, clock: Clock, { watchIdleMs = WATCH_IDLE_MS, timeoutMs = TIMEOUT_MS } = {}) {
    this.#http = new KubeHttp(access, clock, timeoutMs)
    this.#listTimeoutMs = LIST_TIMES * timeoutMs
    this.#watchIdleMs = watchIdleMs
  }

  /** Closes idle connections. */
  close(): void {
    this.#http.close()
  }

  async get(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    { signal }: CallOptions = {}
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#object({ method: 'GET', path: pathOf(type, namespace, name), signal })
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined
      throw error
    }
  }

  async list(type: ResourceType, selection: Selection, next: string | undefined, signal: AbortSignal): Promise<Page> {
    const { labelSelector, fieldSelector } = selection
    const query = { limit: String(PAGE_ITEMS), continue: next, labelSelector, fieldSelector }
    const path = pathOf(type, selection.namespace)
    const answer = (await this.#http.json({ method: 'GET', path, query, signal, timeoutMs: this.#listTimeoutMs })) as {
      items?: readonly KubeObject[]
      metadata: { resourceVersion: string; continue?: string }
    }
    return {
      // Items of a list carry neither kind nor version.
      items: (answer.items ?? []).map(item => ({
        ...withoutManagedFields(item),
        apiVersion: type.apiVersion,
        kind: type.kind
      })),
      resourceVersion: answer.metadata.resourceVersion,
      next: answer.metadata.continue || undefined
    }
  }

  async *watch(
    type: ResourceType,
    selection: Selection,
    { resourceVersion, timeoutSeconds }: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal
  ): AsyncIterable<WatchEvent> {
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
      labelSelector: selection.labelSelector
    }
    const endMs = timeoutSeconds * 1000 + WATCH_END_MARGIN_MS
    const call = { method: 'GET', path: pathOf(type, selection.namespace), query, signal }
    for await (const line of this.#http.lines(call, lines => (lines === 0 ? endMs : this.#watchIdleMs)))
      yield watchEvent(line)
  }

  /** The lines of a pod's log, without their line ends. */
  async *podLog(namespace: string, pod: string, options: LogOptions, signal: AbortSignal): AsyncIterable<string> {
    const query = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, value === undefined ? undefined : String(value)])
    )
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`
    try {
      yield* this.#http.lines({ method: 'GET', path, query, signal }, () => FOREVER_MS)
    } catch (error) {
      // So the API server answers for a pod that waits for a node.
      if (!(error instanceof KubeError) || error.status !== 204) throw error
      throw new KubeError(204, 'has no log yet, for it is on no node', { cause: error })
    }
  }

  /** What a pod answers to `GET path`, through the API server; needs `get pods/proxy`. */
  podPage(namespace: string, pod: string, port: number, path: string, signal?: AbortSignal): Promise<string> {
    const [where, who] = [encodeURIComponent(namespace), encodeURIComponent(`${pod}:${port}`)]
    return this.#http.text({ method: 'GET', path: `/api/v1/namespaces/${where}/pods/${who}/proxy${path}`, signal })
  }

  /** `v1.36.3` */
  async version(): Promise<string> {
    const { gitVersion } = (await this.#http.json({ method: 'GET', path: '/version' })) as { gitVersion: string }
    return gitVersion
  }

  apply(type: ResourceType, object: KubeObject, options: ApplyOptions = {}): Promise<KubeObject> {
    const { namespace, name } = object.metadata
    const { dryRun = false, fieldManager = FIELD_MANAGER, subresource, signal } = options
    return this.#object({
      method: 'PATCH',
      path: `${pathOf(type, namespace, name)}${subresource === undefined ? '' : `/${subresource}`}`,
      query: { fieldManager, force: 'true', fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
      body: object,
      contentType: 'application/apply-patch+yaml',
      signal
    })
  }

  applyStatus(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    return this.apply(type, object, { ...options, subresource: 'status' })
  }

  create(type: ResourceType, object: KubeObject, { signal }: CallOptions = {}): Promise<KubeObject> {
    return this.#object({ method: 'POST', path: pathOf(type, object.metadata.namespace), body: object, signal })
  }

  update(type: ResourceType, object: KubeObject, { signal }: CallOptions = {}): Promise<KubeObject> {
    const { namespace, name } = object.metadata
    return this.#object({ method: 'PUT', path: pathOf(type, namespace, name), body: object, signal })
  }

  mergePatch(
    type: ResourceType,
    { namespace, name, uid }: ObjectName,
    patch: object,
    { signal, dryRun = false, fieldManager = FIELD_MANAGER }: PatchOptions = {}
  ): Promise<KubeObject> {
    const { metadata, ...rest } = patch as { readonly metadata?: object }
    const named = uid === undefined ? metadata : { ...metadata, uid }
    return this.#object({
      method: 'PATCH',
      path: pathOf(type, namespace, name),
      query: { fieldManager, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
      body: { ...rest, ...(named === undefined ? {} : { metadata: named }) },
      contentType: 'application/merge-patch+json',
      signal
    })
  }

  async delete(
    type: ResourceType,
    { metadata: { namespace, name, uid } }: KubeObject,
    { signal }: CallOptions = {}
  ): Promise<void> {
    const body = { preconditions: { uid }, propagationPolicy: 'Background' }
    try {
      await this.#http.json({ method: 'DELETE', path: pathOf(type, namespace, name), body, signal })
    } catch (error) {
      if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return
      throw error
    }
  }

  async #object(call: Call): Promise<KubeObject> {
    return (await this.#http.json(call)) as KubeObject
  }
}

function pathOf({ apiVersion, plural }: ResourceType, namespace: string | undefined, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject & Status
}

function watchEvent(line: string): WatchEvent {
  let event: RawEvent
  try {
    event = JSON.parse(line) as RawEvent
  } catch (error) {
    throw new KubeError(0, 'an event of a watch is not JSON', { cause: error })
  }
  const { type, object } = event
  if (type !== 'ERROR') return { type, object: withoutManagedFields(object) }
  const { code = 0, message = 'the watch was refused', details } = object
  const seconds = details?.retryAfterSeconds
  return {
    type,
    error: new KubeError(code, message, { retryAfterMs: seconds === undefined ? undefined : seconds * 1000 })
  }
}

/** They are often the larger half of an object, and nobody here reads them. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & { managedFields?: unknown }
  return { ...object, metadata }
}
