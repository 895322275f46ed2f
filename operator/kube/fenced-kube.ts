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

/**
 * The API server of a process that may lose the lead: what it writes goes through only while it leads. A process that slept past
 * its lease finds that out here, before its next renewal.
 */
export class FencedKube implements Kube {
  readonly #kube: Kube
  readonly #isLeader: () => boolean

  constructor(kube: Kube, isLeader: () => boolean) {
    this.#kube = kube
    this.#isLeader = isLeader
  }

  get(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: CallOptions
  ): Promise<KubeObject | undefined> {
    return this.#kube.get(type, namespace, name, options)
  }

  list(type: ResourceType, selection: Selection, next: string | undefined, signal: AbortSignal): Promise<Page> {
    return this.#kube.list(type, selection, next, signal)
  }

  watch(...asked: Parameters<Kube['watch']>): AsyncIterable<WatchEvent> {
    return this.#kube.watch(...asked)
  }

  apply(type: ResourceType, object: KubeObject, options?: ApplyOptions): Promise<KubeObject> {
    return this.#write(() => this.#kube.apply(type, object, options))
  }

  applyStatus(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    return this.#write(() => this.#kube.applyStatus(type, object, options))
  }

  create(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    return this.#write(() => this.#kube.create(type, object, options))
  }

  update(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    return this.#write(() => this.#kube.update(type, object, options))
  }

  mergePatch(type: ResourceType, name: ObjectName, patch: object, options?: PatchOptions): Promise<KubeObject> {
    return this.#write(() => this.#kube.mergePatch(type, name, patch, options))
  }

  delete(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<void> {
    return this.#write(() => this.#kube.delete(type, object, options))
  }

  async #write<T>(write: () => Promise<T>): Promise<T> {
    if (!this.#isLeader()) throw new KubeError(0, 'this process does not lead any more: nothing is written')
    return write()
  }
}
