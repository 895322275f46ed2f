import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { LEASES, type Kube, type KubeObject } from './kube.ts'

/** Kubernetes' own components use the same three. */
const LEASE_MS = 15_000
const RENEW_DEADLINE_MS = 10_000
const RETRY_MS = 2000

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
  readonly log: Log
  readonly namespace: string
  readonly name: string
  /** This process, and no other. */
  readonly identity: string
}

/**
 * One leader among the operator's replicas, by a Lease. A lease has expired when it did not change for its whole duration as
 * seen by this process: clocks of two machines are never compared.
 */
export class Elector {
  readonly #options: ElectorOptions
  #seen: { readonly resourceVersion: string | undefined; readonly atMs: number } | undefined
  #renewedMs: number | undefined

  constructor(options: ElectorOptions) {
    this.#options = options
  }

  get isLeader(): boolean {
    return this.#renewedMs !== undefined
  }

  /** Resolves when this process leads; earlier, not leading, when the signal aborts. */
  async elected(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#attempt()) !== 'held') await this.#pause(signal)
  }

  /** Keeps the lease until the signal aborts. Resolves to `lost` when another has it, or when it could not be renewed in time. */
  async hold(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const { clock } = this.#options
    while (!signal.aborted) {
      await this.#pause(signal)
      if (signal.aborted) break
      const outcome = await this.#attempt()
      const isLate = clock.now() - (this.#renewedMs ?? 0) >= RENEW_DEADLINE_MS
      if (outcome === 'taken' || (outcome === 'failed' && isLate)) {
        this.#renewedMs = undefined
        return 'lost'
      }
    }
    return 'stopped'
  }

  /** Gives the lease back, so that the next leader need not wait. */
  async release(): Promise<void> {
    const { kube, log, namespace, name, identity, clock } = this.#options
    this.#renewedMs = undefined
    try {
      const lease: Lease | undefined = await kube.get(LEASES, namespace, name)
      if (lease?.spec?.holderIdentity !== identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) }
      await kube.update(LEASES, { ...lease, spec } as Lease)
    } catch (error) {
      log.warn('the lease could not be given back; it expires by itself', { lease: `${namespace}/${name}` }, error)
    }
  }

  /** Takes or renews the lease; `taken`: by another. */
  async #attempt(): Promise<'held' | 'taken' | 'failed'> {
    const { kube, log, namespace, name, clock } = this.#options
    // Another may take the lease once this much has passed since before the request, not since its answer.
    const startedMs = clock.now()
    try {
      const lease: Lease | undefined = await kube.get(LEASES, namespace, name)
      if (lease === undefined) await kube.create(LEASES, this.#lease(undefined))
      else if (this.#mayTake(lease)) await kube.update(LEASES, this.#lease(lease))
      else return 'taken'
      this.#renewedMs = startedMs
      return 'held'
    } catch (error) {
      log.warn('the lease could not be taken or renewed', { lease: `${namespace}/${name}` }, error)
      return 'failed'
    }
  }

  #mayTake({ spec = {}, metadata: { resourceVersion } }: Lease): boolean {
    const nowMs = this.#options.clock.now()
    if (spec.holderIdentity === this.#options.identity || (spec.holderIdentity ?? '') === '') return true
    if (this.#seen === undefined || this.#seen.resourceVersion !== resourceVersion) {
      this.#seen = { resourceVersion, atMs: nowMs }
      return false
    }
    return nowMs - this.#seen.atMs > (spec.leaseDurationSeconds ?? LEASE_MS / 1000) * 1000
  }

  #lease(old: Lease | undefined): Lease {
    const { namespace, name, identity, clock } = this.#options
    const now = microTime(clock.now())
    const isRenewal = old?.spec?.holderIdentity === identity
    const transitions = (old?.spec?.leaseTransitions ?? 0) + (old === undefined || isRenewal ? 0 : 1)
    return {
      apiVersion: LEASES.apiVersion,
      kind: LEASES.kind,
      metadata: old?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_MS / 1000,
        acquireTime: (isRenewal ? old.spec.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: transitions
      }
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    return clock.sleep(RETRY_MS * (1 + clock.random() * 0.2), signal)
  }
}

/** Kubernetes' MicroTime wants six digits; three are refused. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z')
}
