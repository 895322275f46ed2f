import { clipped } from '../../lib/clipped.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { Allowance } from './allowance.ts'
import { EVENTS, keyOf, KubeError, type Kube, type KubeObject } from './kube.ts'
import { timeText } from './times.ts'

/** Something worth telling of a pipeline. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, stable. */
  readonly reason: string
  readonly message: string
}

/** What was written of one event. */
interface Told {
  readonly name: string
  /** Times that it happened, and those among them that were written. */
  count: number
  writtenMs: number
}

/** The same event is brought up to date this often; the API server keeps events for an hour after their last write. */
const REPEAT_AFTER_MS = 30 * 60_000
const MAX_REMEMBERED = 10_000
const MAX_MESSAGE = 1000
/** Writes for one object: so many at once, then one in five minutes. */
const BURST = 25
const REFILL_MS = 300_000

/** Writes Kubernetes Events. The same one of the same object is one Event, whose count grows, written every 30 minutes. */
export class EventRecorder {
  readonly #kube: Kube
  readonly #clock: Clock
  readonly #log: Log
  readonly #instance: string
  /** The one that was written the longest ago comes first. */
  readonly #told = new Map<string, Told>()
  readonly #allowance: Allowance

  /** `instance` names this process, for example by its pod. */
  constructor(kube: Kube, clock: Clock, log: Log, instance: string) {
    this.#kube = kube
    this.#clock = clock
    this.#log = log
    this.#instance = instance
    this.#allowance = new Allowance({ burst: BURST, refillMs: REFILL_MS, maxKeys: MAX_REMEMBERED })
  }

  /** Never throws: an event that cannot be written is logged. */
  async tell(about: KubeObject, note: EventNote): Promise<void> {
    const nowMs = this.#clock.now()
    const subject = `${keyOf(about)} ${about.metadata.uid}`
    const key = `${subject} ${note.type} ${note.reason} ${note.message}`
    const told = this.#told.get(key)
    if (told !== undefined) told.count++
    if (told !== undefined && nowMs - told.writtenMs < REPEAT_AFTER_MS) return
    if (!this.#allowance.take(subject, nowMs)) {
      this.#log.debug('an event is left out: its object has had too many', {
        object: keyOf(about),
        reason: note.reason
      })
      return
    }
    const next = told ?? { name: this.#newName(about), count: 1, writtenMs: nowMs }
    next.writtenMs = nowMs
    this.#remember(key, next)
    try {
      await this.#write(about, note, next, told !== undefined)
    } catch (error) {
      this.#log.warn('an event could not be written', { object: keyOf(about), reason: note.reason }, error)
    }
  }

  async #write(about: KubeObject, note: EventNote, told: Told, isThere: boolean): Promise<void> {
    const { namespace = 'default' } = about.metadata
    if (isThere) {
      try {
        const patch = { count: told.count, lastTimestamp: timeText(told.writtenMs) }
        await this.#kube.mergePatch(EVENTS, { namespace, name: told.name }, patch)
        return
      } catch (error) {
        // It has expired, or somebody has removed it: told anew.
        if (!(error instanceof KubeError && error.status === 404)) throw error
        told.count = 1
      }
    }
    try {
      await this.#kube.create(EVENTS, this.#event(about, note, told))
    } catch (error) {
      // Our own, whose answer was lost, or by a rare chance another’s.
      if (!(error instanceof KubeError && error.status === 409)) throw error
    }
  }

  #event(about: KubeObject, { type, reason, message }: EventNote, { name, count, writtenMs }: Told): KubeObject {
    const { namespace = 'default', uid = '', resourceVersion = '' } = about.metadata
    const { apiVersion, kind } = about
    const event = {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { namespace, name },
      involvedObject: { apiVersion, kind, namespace, name: about.metadata.name, uid, resourceVersion },
      type,
      reason,
      message: clipped(message, MAX_MESSAGE),
      source: { component: 'bronze-operator' },
      reportingComponent: 'bronze-operator',
      reportingInstance: this.#instance,
      firstTimestamp: timeText(writtenMs),
      lastTimestamp: timeText(writtenMs),
      count
    }
    return event
  }

  #remember(key: string, told: Told): void {
    this.#told.delete(key)
    this.#told.set(key, told)
    for (const [oldest, { writtenMs }] of this.#told) {
      if (this.#told.size <= MAX_REMEMBERED && told.writtenMs - writtenMs < FORGET_AFTER_MS) break
      this.#told.delete(oldest)
    }
  }

  #newName({ metadata: { name } }: KubeObject): string {
    const chance = Math.floor(this.#clock.random() * 0x1000000)
    return `${name}.${Math.floor(this.#clock.now()).toString(16)}${chance.toString(16).padStart(6, '0')}`
  }
}

/** The API server has dropped it by then. */
const FORGET_AFTER_MS = 2 * 3_600_000
