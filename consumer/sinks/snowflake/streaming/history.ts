import type { SettledPipeline, SnowflakeSink } from '../../../../crds/settled.ts'
import { planTables, type TablePlan } from '../../../columns/bronze.ts'
import { followedHistory } from '../../followed-history.ts'
import type { Histories, HistoryEntry, HistoryPorts, HistoryRange } from '../../history.ts'
import { notedAbsence } from '../../noted-absence.ts'
import { findSnowflakeTable } from '../drop.ts'
import { StatementError } from '../session/errors.ts'
import { LastingSession } from '../session/lasting-session.ts'
import { snowflakeSessions } from '../session/open.ts'
import type { SnowflakeSession, Statement } from '../session/session.ts'
import { snowflakeTable, type SnowflakeTable } from '../sql/table.ts'
import { lettersTaken, rowsTaken, takenLetters, takenRows } from './history-statements.ts'

/** Each look runs the warehouse. */
const LOOK_EVERY_MS = 10_000
/**
 * Rows of one batch come into the table key by key, within some ten seconds; what is younger may not be whole yet, and is not told.
 * Of minutes of dead letters the same holds.
 */
const SETTLED_MS = 60_000
const MINUTE_MS = 60_000
/** Of one query. */
const PART_MS = 6 * 3_600_000

export interface StreamingHistoryOptions {
  readonly session: SnowflakeSession
  readonly table: SnowflakeTable
  /** What is said where rows do not tell their topic. */
  readonly topic: string
  /** The end is exclusive. */
  readonly sinceMs: number
  readonly untilMs: number
}

/**
 * What went into a table of mode Streaming, oldest first: the service tells no times (its channels know their last token alone), so the rows themselves do. Nothing of a table that is not there.
 */
export async function* readStreamingHistory(options: StreamingHistoryOptions): AsyncGenerator<HistoryEntry, undefined> {
  const { session, table, topic, sinceMs, untilMs } = options
  for (let fromMs = sinceMs; fromMs < untilMs; fromMs += PART_MS) {
    const part = { fromMs, toMs: Math.min(untilMs, fromMs + PART_MS) }
    const rows = takenRows(await rowsOf(session, rowsTaken(table, part)), topic)
    const letters = takenLetters(await rowsOf(session, lettersTaken(table, part)), topic)
    yield* [...rows, ...letters].sort((one, other) => one.committedMs - other.committedMs)
  }
}

async function rowsOf(session: SnowflakeSession, statement: Statement | undefined) {
  if (statement === undefined) return []
  try {
    return (await session.run(statement)).rows
  } catch (error) {
    if (error instanceof StatementError && error.refusal === 'ObjectMissing') return []
    throw error
  }
}

/** The past of tables of mode Streaming, over one session, which is opened when it is needed. */
export async function streamingHistories(
  pipeline: SettledPipeline,
  snowflake: SnowflakeSink,
  tables: readonly string[],
  range: HistoryRange,
  { readSecret, clock, onNote }: HistoryPorts
): Promise<Histories> {
  const open = snowflakeSessions({ snowflake, readSecret, clock })
  const session = new LastingSession(async () => await open('bronze history'))
  const plans = planTables(pipeline).filter(({ table }) => tables.includes(table))
  return {
    tables: plans.map(plan => {
      const table = snowflakeTable(plan, pipeline, snowflake)
      if (rowsTaken(table, { fromMs: 0, toMs: 0 }) === undefined) {
        const message = 'has no column of source IngestedAt: its dead letters alone can be told'
        onNote({ table: plan.table, message, isIncomplete: true })
      }
      const topic = onlyTopic(plan)
      const history = followedHistory(plan.table, range, ({ sinceMs, untilMs }) => {
        const settledMs = Math.floor((clock.now() - SETTLED_MS) / MINUTE_MS) * MINUTE_MS
        return readStreamingHistory({ session, table, topic, sinceMs, untilMs: Math.min(untilMs + 1, settledMs) })
      })
      const isThere = async () => (await findSnowflakeTable(session, snowflake, plan.table)) !== undefined
      return notedAbsence(history, isThere, onNote)
    }),
    lookEveryMs: LOOK_EVERY_MS,
    close: async () => await session.close()
  }
}

function onlyTopic({ entries }: TablePlan): string {
  const [first, ...more] = entries
  return first !== undefined && more.length === 0 && 'topic' in first.match ? first.match.topic : '(not told)'
}
