import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { EVENTS, keyOf, type Kube, type KubeObject } from './kube.ts'

/** Something worth telling of a pipeline. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, stable. */
  readonly reason: string
  readonly message: string
}

const REPEAT_AFTER_MS = 30 * 60_000
const MAX_REMEMBERED = 10_000
const MAX_MESSAGE = 1000

/** Writes Kubernetes Events; the same one of the same object again only after 30 minutes. */
export class EventRecorder {
  readonly #kube: Kube
  readonly #clock: Clock
  readonly #log: Log
  readonly #instance: string
  readonly #told = new Map<string, number>()

  /** `instance` names this process, for example by its pod. */
  constructor(kube: Kube, clock: Clock, log: Log, instance: string) {
    this.#kube = kube
    this.#clock = clock
    this.#log = log
    this.#instance = instance
  }

  /** Never throws: an event that cannot be written is logged. */
  async tell(about: KubeObject, { type, reason, message }: EventNote): Promise<void> {
    const nowMs = this.#clock.now()
    const key = `${keyOf(about)} ${about.metadata.uid} ${reason} ${message}`
    if (nowMs - (this.#told.get(key) ?? -Infinity) < REPEAT_AFTER_MS) return
    this.#remember(key, nowMs)
    const { namespace = 'default', name, uid = '', resourceVersion = '' } = about.metadata
    const now = new Date(nowMs).toISOString().replace(/\.\d{3}Z$/, 'Z')
    const event = {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { namespace, name: `${name}.${suffix(this.#clock)}` },
      involvedObject: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion },
      type,
      reason,
      message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message,
      source: { component: 'bronze-operator' },
      reportingComponent: 'bronze-operator',
      reportingInstance: this.#instance,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1
    }
    try {
      await this.#kube.create(EVENTS, event)
    } catch (error) {
      this.#log.warn('an event could not be written', { pipeline: keyOf(about), reason }, error)
    }
  }

  #remember(key: string, nowMs: number): void {
    this.#told.delete(key)
    this.#told.set(key, nowMs)
    for (const [oldest, toldMs] of this.#told) {
      if (this.#told.size <= MAX_REMEMBERED && nowMs - toldMs < REPEAT_AFTER_MS) break
      this.#told.delete(oldest)
    }
  }
}

const suffix = (clock: Clock) =>
  Math.floor(clock.now()).toString(16) +
  Math.floor(clock.random() * 0x1000000)
    .toString(16)
    .padStart(6, '0')
