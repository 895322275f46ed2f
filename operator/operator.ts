import type { Clock } from '../lib/clock.ts'
import { errorText, RetryableError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { ClaimBook } from './claims/claim-book.ts'
import { upgradeDefinition } from './kube/crd-upgrade.ts'
import { Elector } from './kube/elector.ts'
import { EventRecorder } from './kube/events.ts'
import { FencedKube } from './kube/fenced-kube.ts'
import { KafkaClusters } from './kafka/clusters.ts'
import { openLagSampler } from './kafka/lag-sampler.ts'
import { CONFIG_MAPS, KubeError, PIPELINES, type Kube, type OwnerReference } from './kube/kube.ts'
import { OperatorMetrics } from './metrics.ts'
import type { Version } from './plan.ts'
import { KeyedQueue, type Priority } from './queue/queue.ts'
import { Reconciler } from './reconcile.ts'
import { Sampling, type SamplingOptions } from './source/sampling.ts'
import { SecretReader } from './kube/secrets.ts'
import { Stores } from './kube/stores.ts'
import { work } from './queue/work.ts'

const WORKERS = 8
const RECONCILE_DEADLINE_MS = 60_000
/** What was begun may be finished when the operator is told to end; a pod has 30 s. */
const FINISH_MS = 10_000
/** A reconcile ends after a minute at the latest, well or not. */
const STALLED_MS = 300_000
const LEASE_NAME = 'bronze-operator'

export interface OperatorOptions {
  readonly kube: Kube
  readonly clock: Clock
  /** A clock that nobody sets, in ms; `clock` when absent. */
  readonly elapsedMs?: () => number
  readonly log: Log
  /** All when empty. */
  readonly namespaces: readonly string[]
  /** Image of the consumers of pipelines that name none. */
  readonly consumerImage: string
  /** Where the lease is. */
  readonly namespace: string
  /** Name of this process among the operator's replicas. */
  readonly identity: string
  /** Owner of the lease. */
  readonly owner?: OwnerReference | undefined
  /** Whether to bring the resource definition up to date. */
  readonly upgradesDefinition: boolean
  readonly sampleIntervalMs: number
  readonly secretsIntervalMs: number
  /** Figures of the status that moved are written at most this often; 30 s when absent. */
  readonly figuresIntervalMs?: number
  /** Who looks at the sources of pipelines; by Kafka when absent. */
  readonly openSampler?: SamplingOptions['open']
  /** What another version has otherwise, for tests between versions. */
  readonly version?: Version
}

/** The operator without a process around it. */
export class Operator {
  readonly metrics: OperatorMetrics
  readonly #options: OperatorOptions
  /** For what is due, or kept, for so long: people and NTP set the other one, also back. */
  readonly #steady: Clock
  readonly #queue: KeyedQueue
  readonly #stores: Stores
  readonly #elector: Elector
  readonly #claims = new ClaimBook()
  #isWorking = false

  constructor(options: OperatorOptions) {
    this.#options = options
    const { kube, clock, elapsedMs = () => clock.now(), log, namespaces, namespace, identity, owner } = options
    this.#steady = { now: elapsedMs, sleep: (ms, signal) => clock.sleep(ms, signal), random: () => clock.random() }
    this.#queue = new KeyedQueue(this.#steady)
    this.#elector = new Elector({ kube, clock, elapsedMs, log, namespace, name: LEASE_NAME, identity, owner })
    this.metrics = new OperatorMetrics({
      queueKeys: () => this.#queue.size,
      isLeader: () => this.#elector.isLeader,
      watches: () => this.#stores.watches(),
      pipelines: () => this.#stores.pipelines()
    })
    this.#stores = new Stores({
      kube,
      clock: this.#steady,
      log,
      namespaces,
      onChange: (key, priority) => this.#changed(key, priority),
      onTrouble: (kind, what) => this.metrics.watchEnded(kind, what)
    })
  }

  /** Whether the copies of the cluster's objects are complete; those who stand by keep theirs too. */
  get isReady(): boolean {
    return this.#stores.isSynced
  }

  /** Why this process should be ended and started anew; undefined while all is well. */
  get illness(): string | undefined {
    const stalledMs = this.#elector.isLeader && this.#isWorking ? this.#queue.stalledMs() : 0
    return stalledMs < STALLED_MS ? undefined : `no reconcile has ended for ${Math.floor(stalledMs / 1000)} s`
  }

  /** Follows the cluster, waits to be the leader, works until the signal aborts. `lost`: another leads, this process must end. */
  async run(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const { clock, log, identity } = this.#options
    const [ended, cut, finished] = [new AbortController(), new AbortController(), new AbortController()]
    const all = AbortSignal.any([signal, ended.signal])
    const following = this.#stores.run(all)
    try {
      await this.#elector.elected(signal)
      if (signal.aborted || !this.#elector.isLeader) return 'stopped'
      log.info('leading', { identity })
      const working = this.#work(all, cut.signal)
      const held = this.#elector.hold(signal)
      // A defect of the work ends all.
      const outcome = await Promise.race([held, working.then(() => held)])
      ended.abort()
      if (outcome === 'lost') return 'lost'
      void clock.sleep(FINISH_MS, finished.signal).then(() => cut.abort())
      await working
      return 'stopped'
    } finally {
      ended.abort()
      cut.abort()
      finished.abort()
      await following
      await this.#elector.release()
    }
  }

  #changed(key: string, priority: Priority): void {
    const [namespace = '', name = ''] = key.split('/')
    const pipeline = this.#stores.get(PIPELINES, namespace, name)
    const others = this.#claims.observe(key, pipeline, this.#stores.ofPipeline(CONFIG_MAPS, namespace, name))
    this.#queue.add(key, 0, priority)
    for (const other of others) this.#queue.add(other)
  }

  async #work(signal: AbortSignal, cut: AbortSignal): Promise<void> {
    const { kube, log, upgradesDefinition } = this.#options
    // Before the copies are waited for: without the definition there is nothing to copy.
    if (upgradesDefinition) await upgradeDefinition(kube, log)
    const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#stores.synced(), aborted])
    if (signal.aborted) return
    const secrets = new SecretReader(kube, this.#steady)
    const sampling = this.#openSampling(secrets)
    const reconciler = this.#openReconciler(secrets, sampling)
    this.#isWorking = true
    try {
      await work({
        queue: this.#queue,
        clock: this.#steady,
        workers: WORKERS,
        deadlineMs: RECONCILE_DEADLINE_MS,
        signal,
        cut,
        perform: async (key, signal) => {
          const startedMs = this.#steady.now()
          const outcome = await reconciler.reconcile(key, signal)
          this.metrics.reconciled('ok', (this.#steady.now() - startedMs) / 1000)
          return outcome
        },
        onLate: key => {
          this.metrics.reconciled('late')
          log.warn('a reconcile takes too long and is told to stop', { pipeline: key })
        },
        onFailure: (key, error, retryAfterMs) => this.#failed(key, error, retryAfterMs)
      })
    } finally {
      sampling.close()
    }
  }

  #failed(key: string, error: unknown, retryAfterMs: number): void {
    const { log } = this.#options
    const isExpected = error instanceof KubeError || error instanceof RetryableError
    this.metrics.reconciled(isExpected ? 'failed' : 'defect')
    if (isExpected) {
      log.warn('a reconcile failed', { pipeline: key, retryAfterMs, cause: errorText(error) })
    } else {
      const cause = error instanceof Error ? (error.stack ?? error) : error
      log.error('a reconcile failed by a defect of the operator', { pipeline: key, retryAfterMs }, cause)
    }
  }

  #openSampling(secrets: SecretReader): Sampling {
    const { clock, log, sampleIntervalMs, openSampler } = this.#options
    const clusters = new KafkaClusters(this.#steady)
    const byKafka: SamplingOptions['open'] = pipeline =>
      openLagSampler(pipeline, secrets.reader(pipeline.namespace), clusters, () => clock.now())
    return new Sampling({
      open: openSampler ?? byKafka,
      clock,
      log,
      intervalMs: sampleIntervalMs,
      onChange: key => this.#queue.add(key),
      onSample: (key, view) => this.metrics.sampled(key, view)
    })
  }

  #openReconciler(secrets: SecretReader, sampling: Sampling): Reconciler {
    const { kube, clock, log, identity, version, ...settings } = this.#options
    const { consumerImage, secretsIntervalMs, figuresIntervalMs } = settings
    const fenced = new FencedKube(kube, () => this.#elector.isLeader)
    const events = new EventRecorder(fenced, clock, log, identity)
    const ports = { kube: fenced, stores: this.#stores, claims: this.#claims, sampling, secrets, events, clock, log }
    const intervals = { secretsIntervalMs, figuresIntervalMs }
    return new Reconciler({ ...ports, ...intervals, metrics: this.metrics, consumerImage, version })
  }
}
