import type { SnowflakeSink } from '../../../crds/settled.ts'
import type { HistoryEntry } from '../history.ts'
import { historyEntries, readHistory } from './sql/commits.ts'
import { tableObjects } from './sql/objects.ts'
import { StatementError } from './session/errors.ts'
import type { SnowflakeSession } from './session/session.ts'

export interface SnowflakeHistoryOptions {
  readonly session: SnowflakeSession
  readonly snowflake: Pick<SnowflakeSink, 'database' | 'schema'>
  readonly table: string
  /** Both inclusive, by when it was committed. */
  readonly sinceMs: number
  readonly untilMs: number
}

/** Of one query; a month of commits is asked for in parts. */
const PART_MS = 6 * 3_600_000

/** What went into a table, oldest first, of the last 30 days. Nothing of a table that is not there. */
export async function* readSnowflakeHistory(options: SnowflakeHistoryOptions): AsyncGenerator<HistoryEntry, undefined> {
  const { session, snowflake, table, sinceMs, untilMs } = options
  const objects = tableObjects(snowflake, table, undefined)
  for (let fromMs = sinceMs; fromMs <= untilMs; fromMs += PART_MS) {
    const part = readHistory(objects, fromMs, Math.min(untilMs + 1, fromMs + PART_MS))
    try {
      yield* historyEntries((await session.run(part)).rows)
    } catch (error) {
      if (error instanceof StatementError && error.refusal === 'ObjectMissing') return
      throw error
    }
  }
}
