import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { keyOf, KubeError, type Kube, type KubeObject, type ResourceType, type Selection } from './kube.ts'

const BACKOFF = { firstMs: 800, maxMs: 30_000 }
/** A watch that lived this long was healthy: the next trouble is a new one. */
const HEALTHY_MS = 10_000
/** One that ends sooner, without trouble, is not asked for again at once. */
const SHORT_MS = 1000
const MIN_WATCH_S = 300
const MAX_WATCH_S = 600
const GONE = 410

export interface ReflectorOptions {
  readonly kube: Kube
  readonly type: ResourceType
  readonly selection: Selection
  readonly clock: Clock
  readonly log: Log
  /** Called with what is there now (undefined: deleted) and what was there before, after the store has it. */
  readonly onChange: (object: KubeObject | undefined, before: KubeObject | undefined) => void
  readonly onTrouble?: (what: 'relist' | 'reconnect') => void
  /** Objects of the same group can be had together. */
  readonly groupOf?: (object: KubeObject) => string | undefined
}

/**
 * A copy of a kind of objects that follows the API server: one list, then a watch that is resumed where it ended. It lists
 * again only when the server has forgotten that point (410). It never gives up.
 */
export class Reflector {
  readonly #options: ReflectorOptions
  readonly #objects = new Map<string, KubeObject>()
  readonly #groups = new Map<string, Set<string>>()
  readonly #synced = Promise.withResolvers<void>()
  #attempt = 0
  #isSynced = false

  constructor(options: ReflectorOptions) {
    this.#options = options
  }

  /** Resolves when the first list is in the store. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key)
  }

  /** Objects for which `groupOf` gave this group. */
  group(name: string): readonly KubeObject[] {
    const keys = [...(this.#groups.get(name) ?? [])]
    return keys.map(key => this.#objects.get(key)).filter(object => object !== undefined)
  }

  values(): IterableIterator<KubeObject> {
    return this.#objects.values()
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let resourceVersion: string | undefined
    while (!signal.aborted) {
      const startedMs = this.#options.clock.now()
      try {
        resourceVersion ??= await this.#list(signal)
        for await (const version of this.#watch(resourceVersion, signal)) resourceVersion = version
        if (this.#options.clock.now() - startedMs >= SHORT_MS) this.#attempt = 0
        else await this.#backOff(new KubeError(0, 'the watch ended at once'), signal)
      } catch (error) {
        if (signal.aborted) return
        if (this.#options.clock.now() - startedMs >= HEALTHY_MS) this.#attempt = 0
        if (error instanceof KubeError && error.status === GONE) {
          resourceVersion = undefined
          this.#options.onTrouble?.('relist')
        } else this.#options.onTrouble?.('reconnect')
        await this.#backOff(error, signal)
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { kube, type, selection } = this.#options
    const seen = new Set<string>()
    let next: string | undefined
    let resourceVersion: string
    do {
      const page = await kube.list(type, selection, next, signal)
      for (const object of page.items) {
        seen.add(keyOf(object))
        this.#put(object)
      }
      resourceVersion = page.resourceVersion
      next = page.next
    } while (next !== undefined)
    for (const [key, object] of this.#objects) if (!seen.has(key)) this.#remove(object)
    this.#isSynced = true
    this.#synced.resolve()
    return resourceVersion
  }

  /** Gives the point to resume from after each event. */
  async *#watch(resourceVersion: string, signal: AbortSignal): AsyncIterable<string> {
    const { kube, type, selection, clock } = this.#options
    const timeoutSeconds = Math.floor(MIN_WATCH_S + clock.random() * (MAX_WATCH_S - MIN_WATCH_S))
    for await (const event of kube.watch(type, selection, { resourceVersion, timeoutSeconds }, signal)) {
      if (event.type === 'ERROR') throw event.error
      if (event.type === 'DELETED') this.#remove(event.object)
      else if (event.type !== 'BOOKMARK') this.#put(event.object)
      if (event.object.metadata.resourceVersion !== undefined) yield event.object.metadata.resourceVersion
    }
  }

  #put(object: KubeObject): void {
    const key = keyOf(object)
    const before = this.#objects.get(key)
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return
    if (before !== undefined) this.#ungroup(key, before)
    this.#objects.set(key, object)
    const group = this.#options.groupOf?.(object)
    if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(key))
    this.#options.onChange(object, before)
  }

  #remove(object: KubeObject): void {
    const key = keyOf(object)
    const before = this.#objects.get(key)
    if (before === undefined) return
    this.#objects.delete(key)
    this.#ungroup(key, before)
    this.#options.onChange(undefined, before)
  }

  #ungroup(key: string, object: KubeObject): void {
    const group = this.#options.groupOf?.(object)
    const keys = group === undefined ? undefined : this.#groups.get(group)
    keys?.delete(key)
    if (group !== undefined && keys?.size === 0) this.#groups.delete(group)
  }

  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log, type } = this.#options
    const afterMs = backoffMs(++this.#attempt, clock.random(), BACKOFF)
    const retryAfterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0
    const waitMs = Math.max(afterMs, retryAfterMs)
    log.warn('a watch was lost; following on', { kind: type.kind, waitMs }, error)
    await clock.sleep(waitMs, signal)
  }
}
