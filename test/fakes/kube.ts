import {
  keyOf,
  KubeError,
  type CallOptions,
  type Kube,
  type KubeObject,
  type Metadata,
  type ObjectName,
  type Page,
  type ResourceType,
  type WatchEvent
} from '../../operator/kube/kube.ts'

/**
 * An API server in memory for single objects: resource versions count, a stale update is refused. It neither lists nor
 * watches.
 */
export class FakeKube implements Kube {
  readonly objects = new Map<string, KubeObject>()
  /** `create Lease a/b` in order. */
  readonly calls: string[] = []
  /** Thrown by every call while set. */
  failure: KubeError | undefined
  /** Thrown by writes that took effect while set. */
  afterwards: KubeError | undefined
  /** No call is answered while set; those that have a signal end with it. */
  isSilent = false
  #version = 0

  async get(
    { kind }: ResourceType,
    namespace: string | undefined,
    name: string,
    options: CallOptions = {}
  ): Promise<KubeObject | undefined> {
    await this.#called('get', kind, { namespace: namespace ?? '', name }, options)
    return this.objects.get(`${kind} ${namespace}/${name}`)
  }

  async create({ kind }: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    await this.#called('create', kind, object.metadata, options)
    const key = `${kind} ${keyOf(object)}`
    if (this.objects.has(key)) throw new KubeError(409, 'exists')
    return this.#put(key, object)
  }

  async update({ kind }: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    await this.#called('update', kind, object.metadata, options)
    const key = `${kind} ${keyOf(object)}`
    const there = this.objects.get(key)
    if (there?.metadata.resourceVersion !== object.metadata.resourceVersion) throw new KubeError(409, 'stale')
    return this.#put(key, object)
  }

  async apply({ kind }: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    await this.#called('apply', kind, object.metadata, options)
    return this.#put(`${kind} ${keyOf(object)}`, object)
  }

  applyStatus(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    return this.apply(type, object, options)
  }

  async mergePatch(
    { kind }: ResourceType,
    { namespace, name, uid }: ObjectName,
    patch: object,
    options: CallOptions = {}
  ): Promise<KubeObject> {
    await this.#called('patch', kind, { namespace: namespace ?? '', name }, options)
    const key = `${kind} ${namespace}/${name}`
    const there = this.objects.get(key)
    if (there === undefined) throw new KubeError(404, 'not found')
    if (uid !== undefined && uid !== there.metadata.uid) throw new KubeError(409, 'another object')
    return this.#put(key, { ...there, ...patch })
  }

  async delete({ kind }: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<void> {
    await this.#called('delete', kind, object.metadata, options)
    this.objects.delete(`${kind} ${keyOf(object)}`)
  }

  list(): Promise<Page> {
    throw new Error('this fake does not list')
  }

  watch(): AsyncIterable<WatchEvent> {
    throw new Error('this fake does not watch')
  }

  async #called(
    verb: string,
    kind: string,
    { namespace = '', name }: Metadata,
    { signal }: CallOptions
  ): Promise<void> {
    this.calls.push(`${verb} ${kind} ${namespace}/${name}`)
    if (this.isSilent) {
      await new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new KubeError(0, 'aborted')), { once: true })
      })
    }
    if (this.failure !== undefined) throw this.failure
  }

  #put(key: string, object: KubeObject): KubeObject {
    const resourceVersion = String(++this.#version)
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion } }
    this.objects.set(key, kept)
    if (this.afterwards !== undefined) throw this.afterwards
    return kept
  }
}
