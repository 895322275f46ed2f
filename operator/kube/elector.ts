import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { KubeError, LEASES, type Kube, type KubeObject, type OwnerReference } from './kube.ts'
import { microTimeText } from './times.ts'

/** Kubernetes' own components use the same three. */
const LEASE_MS = 15_000
const RENEW_DEADLINE_MS = 10_000
const RETRY_MS = 2000
/** For all requests of one attempt: a server that does not answer must not cost the lease at the first. */
const ATTEMPT_MS = 5000

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

export interface ElectorOptions {
  readonly kube: Kube
  readonly clock: Clock
  /** Milliseconds that have passed since some moment: not the clock's, which people and NTP set. */
  readonly elapsedMs: () => number
  readonly log: Log
  readonly namespace: string
  readonly name: string
  /** This process, and no other. */
  readonly identity: string
  /** With it the lease goes: nobody else would remove it. */
  readonly owner?: OwnerReference | undefined
}

/**
 * One leader among the operator's replicas, by a Lease. A lease has expired when it did not change for its whole duration as
 * seen by this process: clocks of two machines are never compared.
 */
export class Elector {
  readonly #options: ElectorOptions
  #seen: { readonly resourceVersion: string | undefined; readonly atMs: number } | undefined
  /** As this process wrote it last. */
  #held: Lease | undefined
  #renewedMs: number | undefined

  constructor(options: ElectorOptions) {
    this.#options = options
  }

  /** False, too, once another may have taken the lease, even before this process could find out. */
  get isLeader(): boolean {
    return this.#renewedMs !== undefined && this.#options.elapsedMs() - this.#renewedMs < LEASE_MS
  }

  /** Resolves when this process leads; earlier, not leading, when the signal aborts. */
  async elected(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#attempt(ATTEMPT_MS)) !== 'held') await this.#pause(Infinity, signal)
  }

  /** Keeps the lease until the signal aborts. Resolves to `lost` when another has it, or when it could not be renewed in time. */
  async hold(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const leftMs = () => (this.#renewedMs ?? -Infinity) + RENEW_DEADLINE_MS - this.#options.elapsedMs()
    while (!signal.aborted) {
      await this.#pause(leftMs(), signal)
      if (signal.aborted) break
      const outcome = leftMs() <= 0 ? 'late' : await this.#attempt(Math.min(ATTEMPT_MS, leftMs()))
      if (outcome === 'held' || (outcome === 'failed' && leftMs() > 0)) continue
      this.#renewedMs = undefined
      this.#held = undefined
      return 'lost'
    }
    return 'stopped'
  }

  /** Gives the lease back, so that the next leader need not wait; does nothing when it was lost, or never had. */
  async release(): Promise<void> {
    const { kube, log, namespace, name, identity, clock } = this.#options
    if (this.#renewedMs === undefined) return
    this.#renewedMs = undefined
    this.#held = undefined
    try {
      await this.#bounded(ATTEMPT_MS, async signal => {
        const lease: Lease | undefined = await kube.get(LEASES, namespace, name, { signal })
        if (lease?.spec?.holderIdentity !== identity) return
        const spec = {
          ...lease.spec,
          holderIdentity: '',
          leaseDurationSeconds: 1,
          renewTime: microTimeText(clock.now())
        }
        await kube.update(LEASES, { ...lease, spec } as Lease, { signal })
      })
    } catch (error) {
      log.warn('the lease could not be given back; it expires by itself', { lease: `${namespace}/${name}` }, error)
    }
  }

  /** Takes or renews the lease; `taken`: by another. */
  async #attempt(timeoutMs: number): Promise<'held' | 'taken' | 'failed'> {
    const { log, namespace, name, elapsedMs } = this.#options
    // Another may take the lease once this much has passed since before the request, not since its answer.
    const startedMs = elapsedMs()
    try {
      const lease = await this.#bounded(timeoutMs, signal => this.#take(signal))
      if (lease === undefined) return 'taken'
      this.#held = lease
      this.#renewedMs = startedMs
      return 'held'
    } catch (error) {
      log.warn('the lease could not be taken or renewed', { lease: `${namespace}/${name}` }, error)
      return 'failed'
    }
  }

  /** The lease as it is written; undefined when another has it. */
  async #take(signal: AbortSignal): Promise<Lease | undefined> {
    const { kube, namespace, name } = this.#options
    if (this.#held !== undefined) {
      try {
        return await kube.update(LEASES, this.#lease(this.#held), { signal })
      } catch (error) {
        // By another, or by our own renewal whose answer was lost: what there is now says which.
        if (!(error instanceof KubeError && error.status === 409)) throw error
        this.#held = undefined
      }
    }
    const lease: Lease | undefined = await kube.get(LEASES, namespace, name, { signal })
    if (lease === undefined) return kube.create(LEASES, this.#lease(undefined), { signal })
    return this.#mayTake(lease) ? kube.update(LEASES, this.#lease(lease), { signal }) : undefined
  }

  async #bounded<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const [late, done] = [new AbortController(), new AbortController()]
    void this.#options.clock.sleep(timeoutMs, done.signal).then(() => late.abort())
    try {
      return await work(late.signal)
    } finally {
      done.abort()
    }
  }

  #mayTake({ spec = {}, metadata: { resourceVersion } }: Lease): boolean {
    const nowMs = this.#options.elapsedMs()
    if (spec.holderIdentity === this.#options.identity || (spec.holderIdentity ?? '') === '') return true
    if (this.#seen === undefined || this.#seen.resourceVersion !== resourceVersion) {
      this.#seen = { resourceVersion, atMs: nowMs }
      return false
    }
    return nowMs - this.#seen.atMs > (spec.leaseDurationSeconds ?? LEASE_MS / 1000) * 1000
  }

  #lease(old: Lease | undefined): Lease {
    const { namespace, name, identity, clock, owner } = this.#options
    const now = microTimeText(clock.now())
    const isRenewal = old?.spec?.holderIdentity === identity
    const transitions = (old?.spec?.leaseTransitions ?? 0) + (old === undefined || isRenewal ? 0 : 1)
    return {
      apiVersion: LEASES.apiVersion,
      kind: LEASES.kind,
      metadata: {
        ...(old?.metadata ?? { namespace, name }),
        ...(owner === undefined ? {} : { ownerReferences: [owner] })
      },
      spec: {
        ...old?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_MS / 1000,
        acquireTime: (isRenewal ? old.spec.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: transitions
      }
    }
  }

  #pause(atMostMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    return clock.sleep(Math.max(0, Math.min(atMostMs, RETRY_MS * (1 + clock.random() * 0.2))), signal)
  }
}
