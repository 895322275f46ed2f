import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import type { TablePlan } from '../columns/bronze.ts'
import type { CommitAuthor, Sink } from '../sink.ts'

/** What all sinks of a process share: a store, or a catalog. */
export interface Sinks {
  /** The sink of one table; nothing is read or written yet. */
  open(plan: TablePlan): Sink
  close(): Promise<void>
}

export interface SinkPorts {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  /** Is told what a table's statements took of a warehouse, now and then. */
  readonly onWarehouseSeconds?: ((table: string, seconds: number) => void) | undefined
}
