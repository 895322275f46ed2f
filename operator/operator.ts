import type { Clock } from '../lib/clock.ts'
import { errorText } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { ClaimBook } from './claim-book.ts'
import { upgradeDefinition } from './crd-upgrade.ts'
import { Elector } from './elector.ts'
import { EventRecorder } from './events.ts'
import { KafkaClusters } from './kafka/clusters.ts'
import { openLagSampler } from './kafka/lag-sampler.ts'
import { PIPELINES, type Kube } from './kube.ts'
import { OperatorMetrics } from './metrics.ts'
import { KeyedQueue, work } from './queue.ts'
import { Reconciler } from './reconcile.ts'
import { Sampling } from './sampling.ts'
import { SecretReader } from './secrets.ts'
import { Stores } from './stores.ts'

const WORKERS = 8
const LEASE_NAME = 'bronze-operator'

export interface OperatorOptions {
  readonly kube: Kube
  readonly clock: Clock
  readonly log: Log
  /** All when empty. */
  readonly namespaces: readonly string[]
  /** Image of the consumers of pipelines that name none. */
  readonly consumerImage: string
  /** Where the lease is. */
  readonly namespace: string
  /** Name of this process among the operator's replicas. */
  readonly identity: string
  /** Whether to bring the resource definition up to date. */
  readonly upgradesDefinition: boolean
  readonly sampleIntervalMs: number
  readonly secretsIntervalMs: number
  /** Figures of the status that moved are written at most this often; 30 s when absent. */
  readonly figuresIntervalMs?: number
}

/** The operator without a process around it. */
export class Operator {
  readonly metrics: OperatorMetrics
  readonly #options: OperatorOptions
  readonly #queue: KeyedQueue
  readonly #stores: Stores
  readonly #elector: Elector
  readonly #claims = new ClaimBook()

  constructor(options: OperatorOptions) {
    this.#options = options
    const { kube, clock, log, namespaces, namespace, identity } = options
    this.#queue = new KeyedQueue(clock)
    this.#elector = new Elector({ kube, clock, log, namespace, name: LEASE_NAME, identity })
    this.metrics = new OperatorMetrics(
      () => this.#queue.size,
      () => this.#elector.isLeader
    )
    this.#stores = new Stores({
      kube,
      clock,
      log,
      namespaces,
      onChange: key => this.#changed(key),
      onTrouble: (kind, what) => this.metrics.watchTrouble(kind, what)
    })
  }

  /** Whether the copies of the cluster's objects are complete; those who stand by keep theirs too. */
  get isReady(): boolean {
    return this.#stores.isSynced
  }

  /** Follows the cluster, waits to be the leader, works until the signal aborts. `lost`: another leads, this process must end. */
  async run(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const { kube, log, identity, upgradesDefinition } = this.#options
    const ended = new AbortController()
    const all = AbortSignal.any([signal, ended.signal])
    const following = this.#stores.run(all)
    try {
      await this.#elector.elected(signal)
      if (signal.aborted) return 'stopped'
      log.info('leading', { identity })
      // Before the copies are waited for: without the definition there is nothing to copy.
      if (upgradesDefinition) await upgradeDefinition(kube, log)
      const working = this.#work(all)
      const outcome = await this.#elector.hold(signal)
      ended.abort()
      if (outcome === 'lost') return 'lost'
      await working
      await this.#elector.release()
      return 'stopped'
    } finally {
      ended.abort()
      await following
    }
  }

  #changed(key: string): void {
    const [namespace = '', name = ''] = key.split('/')
    const others = this.#claims.observe(key, this.#stores.get(PIPELINES, namespace, name))
    for (const changed of [key, ...others]) this.#queue.add(changed)
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { kube, clock, log, identity, sampleIntervalMs } = this.#options
    const { consumerImage, secretsIntervalMs, figuresIntervalMs } = this.#options
    const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#stores.synced(), aborted])
    const secrets = new SecretReader(kube, clock)
    const clusters = new KafkaClusters(clock)
    const sampling = new Sampling({
      open: pipeline => openLagSampler(pipeline, secrets.reader(pipeline.namespace), clusters, () => clock.now()),
      clock,
      log,
      intervalMs: sampleIntervalMs,
      onChange: key => this.#queue.add(key),
      onSample: (key, view) => this.metrics.sampled(key, view)
    })
    const events = new EventRecorder(kube, clock, log, identity)
    const ports = { kube, stores: this.#stores, claims: this.#claims, sampling, secrets, events, clock, log }
    const reconciler = new Reconciler({
      ...ports,
      metrics: this.metrics,
      consumerImage,
      secretsIntervalMs,
      figuresIntervalMs
    })
    const perform = async (key: string) => {
      const startedMs = clock.now()
      const outcome = await reconciler.reconcile(key)
      this.metrics.reconciled('ok', (clock.now() - startedMs) / 1000)
      return outcome
    }
    try {
      await work(this.#queue, WORKERS, signal, perform, (key, error, retryAfterMs) => {
        this.metrics.reconciled('failed', 0)
        log.warn('a reconcile failed', { pipeline: key, retryAfterMs, cause: errorText(error) })
      })
    } finally {
      sampling.close()
    }
  }
}
