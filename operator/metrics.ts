import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { BronzePipeline } from '../crds/pipeline.ts'
import type { SourceView } from './facts.ts'
import type { KubeObject } from './kube/kube.ts'
import type { WatchEnd } from './kube/reflector.ts'
import type { WatchView } from './kube/stores.ts'

/** What is asked when metrics are read. */
export interface LiveFigures {
  readonly queueKeys: () => number
  readonly isLeader: () => boolean
  readonly watches: () => Iterable<WatchView>
  readonly pipelines: () => Iterable<KubeObject>
}

/** Not ready because somebody wants it so. */
const WANTED = new Set(['Suspended', 'Suspending', 'Planned'])

/** Every metric of the operator, for Prometheus. */
export class OperatorMetrics {
  readonly #registry = new Registry()
  readonly #reconciles = new Counter({
    name: 'bronze_operator_reconciles_total',
    help: 'Reconciles by outcome.',
    labelNames: ['outcome'],
    registers: [this.#registry]
  })
  readonly #seconds = new Histogram({
    name: 'bronze_operator_reconcile_seconds',
    help: 'Time of one reconcile.',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.#registry]
  })
  readonly #watchTroubles = new Counter({
    name: 'bronze_operator_watch_troubles_total',
    help: 'Watches that broke off (reconnect) or had to begin with a new list (relist).',
    labelNames: ['kind', 'what'],
    registers: [this.#registry]
  })
  readonly #renewals = new Counter({
    name: 'bronze_operator_watch_renewals_total',
    help: 'Watches that were asked for anew because they came to their agreed end.',
    labelNames: ['kind'],
    registers: [this.#registry]
  })
  readonly #actions = new Counter({
    name: 'bronze_operator_writes_total',
    help: 'Objects applied and deleted, and statuses written.',
    labelNames: ['kind', 'what'],
    registers: [this.#registry]
  })
  readonly #lag = this.#gauge('bronze_pipeline_lag_records', 'Records not yet in a table; absent when unknown.')
  readonly #behind = this.#gauge(
    'bronze_pipeline_behind_seconds',
    'Age of the oldest record not yet in a table, at most; absent when unknown.'
  )
  readonly #partitions = this.#gauge('bronze_pipeline_partitions', 'Partitions of all topics; absent when unknown.')
  readonly #deadLetters = this.#gauge('bronze_pipeline_dead_letters', 'Dead letters so far; absent when unknown.')

  readonly #members = new Gauge({
    name: 'bronze_pipeline_group_members',
    help: 'Members of the consumer group: own consumers, and programs that are none of ours (foreign); absent when unknown.',
    labelNames: ['namespace', 'pipeline', 'kind'],
    registers: [this.#registry]
  })
  readonly #rebalancing = this.#gauge(
    'bronze_pipeline_group_rebalancing',
    'Whether the consumer group was rebalancing (1) at the last look; absent when unknown.'
  )

  constructor({ queueKeys, isLeader, watches, pipelines }: LiveFigures) {
    const live = (name: string, help: string, read: () => number) => {
      this.#live(name, help, [], gauge => gauge.set(read()))
    }
    live('bronze_operator_queue_keys', 'Pipelines that wait for a reconcile, due or not.', queueKeys)
    live('bronze_operator_leader', 'Whether this replica works (1) or stands by (0).', () => (isLeader() ? 1 : 0))
    this.#live('bronze_operator_objects', 'Objects of which a copy is held.', ['kind'], gauge => {
      gauge.reset()
      for (const { kind, objects } of watches()) gauge.inc({ kind }, objects)
    })
    const ready =
      'Whether records are read and written (1) or not (0); absent while suspended, planned or not yet known.'
    this.#live('bronze_pipeline_ready', ready, ['namespace', 'pipeline'], gauge => {
      gauge.reset()
      for (const one of isLeader() ? pipelines() : []) {
        const { metadata, status } = one as BronzePipeline
        const condition = status?.conditions?.find(({ type }) => type === 'Ready')
        if (condition === undefined || condition.status === 'Unknown' || WANTED.has(condition.reason)) continue
        const labels = { namespace: metadata.namespace ?? '', pipeline: metadata.name }
        gauge.set(labels, Number(condition.status === 'True'))
      }
    })
    const help = 'Time since the API server last said something of a kind; of several watches the longest.'
    this.#live('bronze_operator_watch_silence_seconds', help, ['kind'], gauge => {
      const longest = new Map<string, number>()
      for (const { kind, silenceMs } of watches()) longest.set(kind, Math.max(longest.get(kind) ?? 0, silenceMs))
      for (const [kind, ms] of longest) gauge.set({ kind }, ms / 1000)
    })
  }

  /** One that is late is counted again when it ends; only those that went well are timed. */
  reconciled(outcome: 'ok' | 'failed' | 'late' | 'defect', seconds?: number): void {
    this.#reconciles.inc({ outcome })
    if (seconds !== undefined) this.#seconds.observe(seconds)
  }

  watchEnded(kind: string, what: WatchEnd): void {
    if (what === 'renew') this.#renewals.inc({ kind })
    else this.#watchTroubles.inc({ kind, what })
  }

  wrote(kind: string, what: 'apply' | 'delete' | 'status'): void {
    this.#actions.inc({ kind, what })
  }

  /** `key` is `namespace/name`; undefined when the pipeline is gone. */
  sampled(key: string, view: SourceView | undefined): void {
    const [namespace = '', pipeline = ''] = key.split('/')
    const lag = view?.trouble === undefined ? view?.lag : undefined
    const set = (gauge: Gauge, value: number | undefined) => {
      if (value === undefined) gauge.remove({ namespace, pipeline })
      else gauge.set({ namespace, pipeline }, value)
    }
    set(this.#lag, lag?.lag)
    set(this.#behind, lag?.behindSeconds)
    set(
      this.#partitions,
      lag?.entries.some(({ missing }) => missing !== undefined) === true ? undefined : lag?.partitions
    )
    set(this.#deadLetters, lag?.deadLetters)
    const group = view?.group
    set(this.#rebalancing, group && Number(group.state.endsWith('Rebalance')))
    const counts = { own: group && group.members - group.foreignMembers, foreign: group?.foreignMembers }
    for (const [kind, count] of Object.entries(counts)) {
      if (count === undefined) this.#members.remove({ namespace, pipeline, kind })
      else this.#members.set({ namespace, pipeline, kind }, count)
    }
  }

  async scrape(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() }
  }

  /** A gauge that is asked when it is read. */
  #live(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): Gauge {
    const registers = [this.#registry]
    return new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        read(this)
      }
    })
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, labelNames: ['namespace', 'pipeline'], registers: [this.#registry] })
  }
}
