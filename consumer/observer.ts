import type { QualityCounts } from './decode/quality-counts.ts'

/** What the consumer tells the outside about its work: metrics and health listen. Must not throw. */
export interface Observer {
  committed(table: string, commit: CommitSummary): void
  /** A write, commit or recovery of this table failed; `/health` is 503 until `sinkWorks` or `committed`. */
  sinkFailed(table: string, code: string): void
  sinkWorks(table: string): void
  fenced(table: string): void
  dataLoss(topic: string, kind: string): void
  assigned(partitions: number): void
  sourceFailed(code: string): void
  sourceWorks(): void
}

export interface CommitSummary {
  readonly startedMs: number
  readonly endedMs: number
  /** One per partition committed. */
  readonly topics: readonly {
    readonly topic: string
    readonly records: number
    readonly deadLetters: number
    readonly lastTimestampMs: number
    /** When its entry has quality rules. */
    readonly quality?: QualityCounts | undefined
  }[]
}

export const silentObserver: Observer = {
  committed: () => {},
  sinkFailed: () => {},
  sinkWorks: () => {},
  fenced: () => {},
  dataLoss: () => {},
  assigned: () => {},
  sourceFailed: () => {},
  sourceWorks: () => {}
}

/** Every observer is told everything. */
export function allOf(observers: readonly Observer[]): Observer {
  return {
    committed: (table, commit) => observers.forEach(each => each.committed(table, commit)),
    sinkFailed: (table, code) => observers.forEach(each => each.sinkFailed(table, code)),
    sinkWorks: table => observers.forEach(each => each.sinkWorks(table)),
    fenced: table => observers.forEach(each => each.fenced(table)),
    dataLoss: (topic, kind) => observers.forEach(each => each.dataLoss(topic, kind)),
    assigned: partitions => observers.forEach(each => each.assigned(partitions)),
    sourceFailed: code => observers.forEach(each => each.sourceFailed(code)),
    sourceWorks: () => observers.forEach(each => each.sourceWorks())
  }
}
