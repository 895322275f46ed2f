import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { QualityCounts } from './decode/quality-counts.ts'
import type { CommitSummary, Observer } from './observer.ts'
import type { Source } from './source.ts'

/** What the gauges read when they are scraped. */
export interface MetricsView {
  readonly lags: Source['lags']
  /** Topic and partition of an id, for labels. */
  readonly bufferBytes: () => number
}

/** Every metric of a consumer, declared once. Counters are told through `observer`, gauges look when scraped. */
export class ConsumerMetrics {
  readonly registry = new Registry()
  readonly observer: Observer

  readonly #records = this.#counter('bronze_records_total', 'Records committed to the table.', ['table', 'topic'])
  readonly #deadLetters = this.#counter('bronze_dead_letters_total', 'Records committed as dead letters.', [
    'table',
    'topic'
  ])
  readonly #judged = this.#counter('bronze_quality_rows_total', 'Committed rows that quality rules judged.', [
    'table',
    'topic'
  ])
  readonly #scores = this.#counter(
    'bronze_quality_score_total',
    'Sum of the quality scores of these rows, 0 to 1 each.',
    ['table', 'topic']
  )
  readonly #passed = this.#counter('bronze_quality_passed_total', 'Rows for which a quality rule holds.', [
    'table',
    'topic',
    'rule'
  ])
  readonly #withoutAnswer = this.#counter(
    'bronze_quality_errors_total',
    'Rows for which a quality rule has no answer, such as on a null; it does not hold then.',
    ['table', 'topic', 'rule']
  )
  readonly #commits = this.#counter('bronze_commits_total', 'Commits to the table by outcome.', ['table', 'outcome'])
  readonly #sinkErrors = this.#counter('bronze_sink_errors_total', 'Failed reads and writes of the table.', [
    'table',
    'code'
  ])
  readonly #sourceErrors = this.#counter('bronze_source_errors_total', 'Times Kafka could not be reached.', ['code'])
  readonly #losses = this.#counter('bronze_source_losses_total', 'Losses found in the source.', ['topic', 'kind'])
  readonly #rebalances = this.#counter('bronze_assignments_total', 'Changes of the assigned partitions.', [])
  readonly #warehouseSeconds = this.#counter(
    'bronze_snowflake_warehouse_seconds_total',
    "Execution time of the table's statements on a Snowflake warehouse, by the query history.",
    ['table']
  )
  readonly #commitSeconds = new Histogram({
    name: 'bronze_commit_duration_seconds',
    help: 'From taking a batch to its commit, staging included.',
    labelNames: ['table'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry]
  })
  readonly #batchRecords = new Histogram({
    name: 'bronze_batch_records',
    help: 'Records and dead letters per commit.',
    labelNames: ['table'],
    buckets: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
    registers: [this.registry]
  })
  readonly #latency = new Histogram({
    name: 'bronze_end_to_end_latency_seconds',
    help: 'Age of the newest record of each partition when it became visible in the table.',
    labelNames: ['table'],
    buckets: [0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400],
    registers: [this.registry]
  })
  readonly #lastCommit = this.#gauge('bronze_last_commit_timestamp_seconds', 'When the table was last committed to.', [
    'table'
  ])
  readonly #partitions = this.#gauge('bronze_assigned_partitions', 'Partitions assigned to this consumer.', [])

  constructor(view: MetricsView) {
    collectDefaultMetrics({ register: this.registry })
    this.observer = this.#listen()
    this.#look(view)
  }

  /** Execution time of statements, in seconds; see `SinkPorts`. */
  readonly warehouseUsed = (table: string, seconds: number): void => this.#warehouseSeconds.inc({ table }, seconds)

  #listen(): Observer {
    return {
      committed: (table, commit) => this.#onCommit(table, commit),
      sinkFailed: (table, code) => this.#sinkErrors.inc({ table, code }),
      sinkWorks: () => {},
      fenced: table => this.#commits.inc({ table, outcome: 'fenced' }),
      dataLoss: (topic, kind) => this.#losses.inc({ topic, kind }),
      assigned: partitions => {
        this.#rebalances.inc()
        this.#partitions.set(partitions)
      },
      sourceFailed: code => this.#sourceErrors.inc({ code }),
      sourceWorks: () => {}
    }
  }

  #onCommit(table: string, { startedMs, endedMs, topics }: CommitSummary): void {
    this.#commits.inc({ table, outcome: 'committed' })
    this.#commitSeconds.observe({ table }, (endedMs - startedMs) / 1000)
    this.#lastCommit.set({ table }, endedMs / 1000)
    let records = 0
    for (const { topic, records: rows, deadLetters, lastTimestampMs, quality } of topics) {
      records += rows + deadLetters
      this.#records.inc({ table, topic }, rows)
      this.#deadLetters.inc({ table, topic }, deadLetters)
      if (lastTimestampMs > 0) this.#latency.observe({ table }, Math.max(0, endedMs - lastTimestampMs) / 1000)
      if (quality !== undefined) this.#onQuality(table, topic, quality)
    }
    this.#batchRecords.observe({ table }, records)
  }

  #onQuality(table: string, topic: string, { rules, rows, scoreSum, passed, errors }: QualityCounts): void {
    this.#judged.inc({ table, topic }, rows)
    this.#scores.inc({ table, topic }, scoreSum)
    for (const [index, rule] of rules.entries()) {
      this.#passed.inc({ table, topic, rule }, passed[index] ?? 0)
      this.#withoutAnswer.inc({ table, topic, rule }, errors[index] ?? 0)
    }
  }

  #look({ lags, bufferBytes }: MetricsView): void {
    const lag = this.#gauge(
      'bronze_fetch_lag_records',
      'Records between the fetch position and the last stable offset.',
      ['topic', 'partition']
    )
    const buffered = this.#gauge('bronze_buffer_bytes', 'Bytes held in buffers and uploads.', [])
    this.#beforeScrape = () => {
      lag.reset()
      for (const [id, { endOffset, position, logStart }] of lags()) {
        const dash = id.lastIndexOf('-')
        lag.set(
          { topic: id.slice(0, dash), partition: id.slice(dash + 1) },
          Math.max(0, endOffset - Math.max(position, logStart))
        )
      }
      buffered.set(bufferBytes())
    }
  }

  #beforeScrape: () => void = () => {}

  /** The exposition text and its content type. */
  async scrape(): Promise<{ readonly contentType: string; readonly body: string }> {
    this.#beforeScrape()
    return { contentType: this.registry.contentType, body: await this.registry.metrics() }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }
}
