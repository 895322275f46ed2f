import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorText } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { keyOf, KubeError, type Kube, type KubeObject, type ResourceType, type Selection } from './kube.ts'
import { mustRelist } from './watch-trouble.ts'

const BACKOFF = { firstMs: 800, maxMs: 30_000 }
/** A kind that the server does not know yet, since its definition is not there, is asked for more often. */
const ABSENT_BACKOFF = { firstMs: 800, maxMs: 5000 }
const MAX_RETRY_AFTER_MS = 120_000
/** A watch that lived this long was healthy: the next trouble is a new one. One that ends sooner is not asked for at once. */
const HEALTHY_MS = 10_000
const MIN_WATCH_S = 300
const MAX_WATCH_S = 600

/** How a watch ended: by agreement, by trouble after which it was resumed, or because the server has forgotten its point. */
export type WatchEnd = 'renew' | 'reconnect' | 'relist'

export interface ReflectorOptions {
  readonly kube: Kube
  readonly type: ResourceType
  readonly selection: Selection
  readonly clock: Clock
  readonly log: Log
  /** Called with what is there now (undefined: deleted) and what was there before, after the store has it. */
  readonly onChange: (object: KubeObject | undefined, before: KubeObject | undefined) => void
  readonly onTrouble?: (what: WatchEnd) => void
  /** What of an object is worth its memory; all of it when absent. */
  readonly keep?: (object: KubeObject) => KubeObject
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
  /** In a row, without an event in between. */
  #refusals = 0
  #heardMs: number
  #toldError = ''
  #isSynced = false

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#heardMs = options.clock.now()
  }

  /** Resolves when the first list is in the store. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  /** How long the API server has said nothing of this kind; bookmarks count, too. */
  get silenceMs(): number {
    return this.#options.clock.now() - this.#heardMs
  }

  get size(): number {
    return this.#objects.size
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
    const { clock, onTrouble } = this.#options
    let resourceVersion: string | undefined
    while (!signal.aborted) {
      let startedMs = clock.now()
      try {
        resourceVersion ??= await this.#list(signal)
        startedMs = clock.now()
        for await (const version of this.#watch(resourceVersion, signal)) resourceVersion = version
        this.#refusals = 0
        if (this.#wasHealthy(startedMs)) onTrouble?.('renew')
        else throw new KubeError(0, 'the watch ended at once')
      } catch (error) {
        if (signal.aborted) return
        this.#wasHealthy(startedMs)
        const isForgotten = mustRelist(error, ++this.#refusals)
        if (isForgotten) resourceVersion = undefined
        onTrouble?.(isForgotten ? 'relist' : 'reconnect')
        await this.#backOff(error, signal)
      }
    }
  }

  #wasHealthy(sinceMs: number): boolean {
    const isHealthy = this.#options.clock.now() - sinceMs >= HEALTHY_MS
    if (!isHealthy) return false
    this.#attempt = 0
    this.#toldError = ''
    return true
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { kube, type, selection } = this.#options
    const seen = new Set<string>()
    let next: string | undefined
    let resourceVersion: string
    do {
      const page = await kube.list(type, selection, next, signal)
      this.#heardMs = this.#options.clock.now()
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
      this.#heardMs = clock.now()
      if (event.type === 'ERROR') throw event.error
      this.#refusals = 0
      if (event.type === 'DELETED') this.#remove(event.object)
      else if (event.type !== 'BOOKMARK') this.#put(event.object)
      if (event.object.metadata.resourceVersion !== undefined) yield event.object.metadata.resourceVersion
    }
  }

  #put(object: KubeObject): void {
    const { keep, groupOf, onChange } = this.#options
    const key = keyOf(object)
    const before = this.#objects.get(key)
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return
    const kept = keep?.(object) ?? object
    if (before !== undefined) this.#ungroup(key, before)
    this.#objects.set(key, kept)
    const group = groupOf?.(kept)
    if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(key))
    onChange(kept, before)
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
    const isAbsent = error instanceof KubeError && error.status === 404
    const afterMs = backoffMs(++this.#attempt, clock.random(), isAbsent ? ABSENT_BACKOFF : BACKOFF)
    const retryAfterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0
    const waitMs = Math.max(afterMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
    // The same trouble is told once.
    const text = errorText(error)
    const what = isAbsent ? 'the API server does not serve this kind; waiting' : 'a watch was lost; following on'
    log[text === this.#toldError ? 'debug' : 'warn'](what, { kind: type.kind, waitMs }, error)
    this.#toldError = text
    await clock.sleep(waitMs, signal)
  }
}
