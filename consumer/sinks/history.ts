import type { SettledPipeline } from '../../crds/settled.ts'
import { under } from '../store/under.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ReadSecret } from '../../lib/secrets.ts'

/** What one commit of a table took from one topic, as the table's own records tell. */
export interface HistoryEntry {
  readonly committedMs: number
  /** The commit, in the sink's words: a Delta version, a snapshot id, a commit id. */
  readonly version: string
  /** `namespace/name`; undefined when the commit does not say. */
  readonly pipeline: string | undefined
  readonly topic: string
  /** Rows; undefined when the commit does not say. */
  readonly records: number | undefined
  readonly deadLetters: number | undefined
  /** More than `records` and `deadLetters` together cannot have been; where one of them is undefined. */
  readonly atMost?: number
  /** How many commits it stands for; 1 when undefined. */
  readonly commits?: number | 'unknown'
  /** It stands for all commits after this time, up to `committedMs`. */
  readonly fromMs?: number
}

/** Of commits, both ends included. An end that never comes is Infinity. */
export interface HistoryRange {
  readonly sinceMs: number
  readonly untilMs: number
}

/** One table's past. */
export interface TableHistory {
  readonly table: string
  /**
   * The commits of the range, oldest first but for the differences between their writers' clocks; called again, those
   * that have come since. Throws RetryableError and FatalError; what it gave before is not given again.
   */
  read(): AsyncIterable<HistoryEntry>
}

export interface Histories {
  /** In the order in which the pipeline names them. */
  readonly tables: readonly TableHistory[]
  /** How often it is worth to read again; seldom where each look costs money. */
  readonly lookEveryMs: number
  close(): Promise<void>
}

export interface HistoryPorts {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly onNote: OnNote
}

/** What is to be known of what a table tells, or does not. */
export interface HistoryNote {
  readonly table: string
  /** Goes on after the table's name. */
  readonly message: string
  /** There may have been more in the range than the table knows now. */
  readonly isIncomplete: boolean
}

export type OnNote = (note: HistoryNote) => void

const LOOK_EVERY_MS = 2_000

/** The past of tables of a pipeline. Loads the code of its kind of sink alone. */
export async function openHistories(
  pipeline: SettledPipeline,
  tables: readonly string[],
  range: HistoryRange,
  ports: HistoryPorts
): Promise<Histories> {
  const { sink } = pipeline
  const { readSecret, clock, onNote } = ports
  switch (sink.kind) {
    case 'delta': {
      const [{ deltaHistory }, { openObjectStore }] = await Promise.all([
        import('./delta/history.ts'),
        import('../store/open.ts')
      ])
      const store = await openObjectStore(sink.delta.location, sink.delta.s3, readSecret)
      return {
        tables: tables.map(table => deltaHistory(under(store, `${table.replaceAll('.', '/')}/`), table, range, onNote)),
        lookEveryMs: LOOK_EVERY_MS,
        close: async () => await store.close()
      }
    }
    case 'iceberg': {
      const [{ icebergHistory }, { openRestCatalog }] = await Promise.all([
        import('./iceberg/history.ts'),
        import('./iceberg/catalog/rest.ts')
      ])
      const { catalog: options } = sink.iceberg
      const catalog = await openRestCatalog({ catalog: options, readSecret, clock, wantsCredentials: false })
      return {
        tables: tables.map(table => icebergHistory(catalog, table, range, onNote)),
        lookEveryMs: LOOK_EVERY_MS,
        close: async () => await catalog.close()
      }
    }
    case 'snowflake': {
      if (sink.snowflake.mode === 'Streaming') {
        const { streamingHistories } = await import('./snowflake/streaming/history.ts')
        return await streamingHistories(pipeline, sink.snowflake, tables, range, ports)
      }
      const { snowflakeHistories } = await import('./snowflake/histories.ts')
      return await snowflakeHistories(sink.snowflake, tables, range, ports)
    }
    case 's3': {
      const { s3Histories } = await import('./s3/histories.ts')
      return await s3Histories(sink.s3, tables, range, ports)
    }
  }
}
