import { isDeepStrictEqual } from 'node:util'
import {
  keyOf,
  KubeError,
  type ApplyOptions,
  type Kube,
  type KubeObject,
  type ObjectName,
  type Page,
  type ResourceType,
  type Selection,
  type WatchEvent
} from '../../operator/kube/kube.ts'

interface Happened {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
}

interface Owned extends KubeObject {
  readonly spec?: object
  readonly status?: object
}

/**
 * A whole API server in memory, for one field manager: versions, generations, lists, watches that resume, uids, preconditions,
 * and owners that take what they own along.
 */
export class FakeCluster implements Kube {
  readonly objects = new Map<string, Owned>()
  /** What was written, in order: `apply Deployment n/a`. Those that changed nothing are here, too. */
  readonly writes: string[] = []
  /** Called when an object was written, with what there is now of it; a controller. */
  onWritten: (object: KubeObject) => void = () => {}
  #version = 0
  readonly #history: Happened[] = []
  readonly #watchers = new Set<() => void>()
  readonly #born = new Map<string, number>()

  get version(): number {
    return this.#version
  }

  of(kind: string): readonly Owned[] {
    return [...this.objects].filter(([key]) => key.startsWith(`${kind} `)).map(([, object]) => object)
  }

  async get({ kind }: ResourceType, namespace: string | undefined, name: string): Promise<KubeObject | undefined> {
    return this.objects.get(`${kind} ${namespace}/${name}`)
  }

  async list({ kind }: ResourceType, selection: Selection): Promise<Page> {
    const items = this.of(kind).filter(object => isSelected(object, selection))
    return { items, resourceVersion: String(this.#version), next: undefined }
  }

  async *watch(
    { kind }: ResourceType,
    selection: Selection,
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal
  ): AsyncIterable<WatchEvent> {
    let next = this.#history.findIndex(({ version }) => version > Number(from.resourceVersion))
    if (next < 0) next = this.#history.length
    for (;;) {
      for (let event = this.#history[next]; event !== undefined; event = this.#history[next]) {
        next++
        if (event.object.kind === kind && isSelected(event.object, selection)) yield event
      }
      if (signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#watchers.add(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
  }

  async apply(
    _type: ResourceType,
    object: KubeObject,
    { dryRun, subresource }: ApplyOptions = {}
  ): Promise<KubeObject> {
    const there = this.objects.get(idOf(object))
    const { uid, resourceVersion } = object.metadata
    const isOther = uid !== undefined && there?.metadata.uid !== uid
    const isStale = resourceVersion !== undefined && there?.metadata.resourceVersion !== resourceVersion
    if (isOther || isStale) throw new KubeError(409, isOther ? 'another object' : 'stale')
    const next = this.#next(there, object, subresource === 'status')
    if (dryRun === true) return next
    this.writes.push(`${subresource ?? 'apply'} ${object.kind} ${keyOf(object)}`)
    return this.#put(there, next)
  }

  applyStatus(type: ResourceType, object: KubeObject): Promise<KubeObject> {
    return this.apply(type, object, { subresource: 'status' })
  }

  async create(_type: ResourceType, object: KubeObject): Promise<KubeObject> {
    if (this.objects.has(idOf(object))) throw new KubeError(409, 'exists')
    this.writes.push(`create ${object.kind} ${keyOf(object)}`)
    return this.#put(undefined, this.#next(undefined, object, false))
  }

  async update(_type: ResourceType, object: KubeObject): Promise<KubeObject> {
    const there = this.objects.get(idOf(object))
    if (there?.metadata.resourceVersion !== object.metadata.resourceVersion) throw new KubeError(409, 'stale')
    this.writes.push(`update ${object.kind} ${keyOf(object)}`)
    return this.#put(there, object)
  }

  async mergePatch({ kind }: ResourceType, { namespace, name, uid }: ObjectName, patch: object): Promise<KubeObject> {
    const there = this.objects.get(`${kind} ${namespace}/${name}`)
    if (there === undefined) throw new KubeError(404, 'not found')
    if (uid !== undefined && uid !== there.metadata.uid) throw new KubeError(409, 'another object')
    this.writes.push(`patch ${kind} ${namespace}/${name}`)
    return this.#put(there, merged(there, patch) as KubeObject)
  }

  async delete(_type: ResourceType, object: KubeObject): Promise<void> {
    const there = this.objects.get(idOf(object))
    const { uid } = object.metadata
    if (there === undefined || (uid !== undefined && there.metadata.uid !== uid)) return
    this.writes.push(`delete ${object.kind} ${keyOf(object)}`)
    this.#remove(there)
  }

  #remove(object: KubeObject): void {
    this.objects.delete(idOf(object))
    this.#happened('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } })
    for (const other of this.objects.values())
      if (other.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid)) this.#remove(other)
  }

  /** What an apply makes of what is there. */
  #next(there: Owned | undefined, object: Owned, isStatus: boolean): Owned {
    if (isStatus) {
      if (there === undefined) throw new KubeError(404, 'not found')
      return { ...there, status: plain(object.status ?? {}) }
    }
    const { resourceVersion: _, ...metadata } = object.metadata
    const isSame = isDeepStrictEqual(plain(there?.spec ?? {}), plain(object.spec ?? {}))
    const generation = there === undefined ? 1 : (there.metadata.generation ?? 1) + (isSame ? 0 : 1)
    const { uid = this.#newUid(object), creationTimestamp = '2026-06-01T12:00:00Z' } = there?.metadata ?? {}
    const status = there?.status === undefined ? {} : { status: there.status }
    return plain({ ...object, ...status, metadata: { ...metadata, uid, creationTimestamp, generation } }) as Owned
  }

  #put(there: Owned | undefined, object: KubeObject): KubeObject {
    const { resourceVersion } = there?.metadata ?? {}
    const same = { ...object, metadata: { ...object.metadata, resourceVersion } }
    if (there !== undefined && isDeepStrictEqual(plain(same), plain(there))) return there
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.objects.set(idOf(object), kept)
    this.#happened(there === undefined ? 'ADDED' : 'MODIFIED', kept)
    this.onWritten(kept)
    return this.objects.get(idOf(object)) ?? kept
  }

  #happened(type: Happened['type'], object: KubeObject): void {
    this.#history.push({ version: Number(object.metadata.resourceVersion), type, object })
    for (const wake of this.#watchers) wake()
    this.#watchers.clear()
  }

  /** The same life gives the same uids, whatever else was made in between. */
  #newUid(object: KubeObject): string {
    const id = idOf(object)
    const times = (this.#born.get(id) ?? 0) + 1
    this.#born.set(id, times)
    return `${id} ${times}`
  }
}

const idOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`

/** As after a round trip. */
const plain = (value: object): object => JSON.parse(JSON.stringify(value)) as object

function isSelected({ metadata }: KubeObject, { namespace, labelSelector }: Selection): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false
  const wanted = labelSelector?.split(',').map(each => each.split('=')) ?? []
  return wanted.every(([label = '', value]) => metadata.labels?.[label] === value)
}

/** JSON merge patch. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(typeof target === 'object' ? target : {}) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merged(result[name], value)
  }
  return result
}
