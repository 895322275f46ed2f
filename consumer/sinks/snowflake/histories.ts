import type { SnowflakeSink } from '../../../crds/settled.ts'
import { followedHistory } from '../followed-history.ts'
import type { Histories, HistoryPorts, HistoryRange, TableHistory } from '../history.ts'
import { notedAbsence } from '../noted-absence.ts'
import { findSnowflakeTable } from './drop.ts'
import { readSnowflakeHistory } from './history.ts'
import { LastingSession } from './session/lasting-session.ts'
import { snowflakeSessions } from './session/open.ts'

const DAY_MS = 86_400_000
/** So long commits are kept; see `pruneCommits`. */
const KEPT_MS = 30 * DAY_MS
/** Each look runs the warehouse. */
const LOOK_EVERY_MS = 10_000
/** Clocks of consumers may be ahead of ours. */
const AHEAD_MS = 10 * 60_000

/** The past of tables, by the tables of commits beside them. All are asked over one session, which is opened when it is needed. */
export async function snowflakeHistories(
  snowflake: SnowflakeSink,
  tables: readonly string[],
  range: HistoryRange,
  { readSecret, clock, onNote }: HistoryPorts
): Promise<Histories> {
  const open = snowflakeSessions({ snowflake, readSecret, clock })
  const session = new LastingSession(async () => await open('bronze history'))
  const keptMs = clock.now() - KEPT_MS
  if (range.sinceMs < keptMs) {
    const message = `knows its commits since ${new Date(keptMs).toISOString()}: they are kept for 30 days`
    for (const table of tables) onNote({ table, message, isIncomplete: true })
  }
  const known = { ...range, sinceMs: Math.max(range.sinceMs, keptMs) }
  const historyOf = (table: string): TableHistory => {
    const history = followedHistory(table, known, ({ sinceMs, untilMs }) => {
      const endMs = Math.min(untilMs, clock.now() + AHEAD_MS)
      return readSnowflakeHistory({ session, snowflake, table, sinceMs, untilMs: endMs })
    })
    const isThere = async () => (await findSnowflakeTable(session, snowflake, table)) !== undefined
    return notedAbsence(history, isThere, onNote)
  }
  return { tables: tables.map(historyOf), lookEveryMs: LOOK_EVERY_MS, close: async () => await session.close() }
}
