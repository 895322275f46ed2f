import { RetryableError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import { StatementError } from './session/errors.ts'
import { boundsOf, findBounds, halves, NO_ROWS, type Slice } from './sql/bad-rows.ts'
import { insertRows } from './sql/publish.ts'
import type { Source } from './sql/source.ts'
import type { BadRow } from './sql/table.ts'
import type { TableSession } from './table-session.ts'
import { beginWith, sources, type Commit } from './transaction.ts'

/** With more of them the table or the pipeline is at fault, rather than records. */
const MAX_BAD_ROWS = 16

/**
 * Makes a commit by `attempt`. When rows make its INSERT or MERGE fail for a reason that no expression foresaw (`refusalsOf`), they
 * are found, and it is made once more with them as refused rows.
 */
export async function sparingBadRows<T>(
  session: TableSession,
  commit: Commit,
  log: Log,
  attempt: (commit: Commit) => Promise<T>
): Promise<T> {
  try {
    return await attempt(commit)
  } catch (error) {
    if (!isOfData(error)) throw error
    const badRows = await findBadRows(session, commit)
    if (badRows.length === 0) throw error
    log.warn(
      'Snowflake takes a batch only without some rows',
      { table: commit.table.objects.table, rows: badRows.length },
      error
    )
    return await attempt({ ...commit, table: { ...commit.table, badRows } })
  }
}

/**
 * The rows that fail when they are alone, found by halving; none when something else fails. All tries are one transaction, which is
 * rolled back: a statement that fails undoes itself alone. COPY is not tried: its casts are of what was typed when we wrote the file,
 * to the widest types there are. RetryableError when there are too many.
 */
async function findBadRows(session: TableSession, commit: Commit): Promise<readonly BadRow[]> {
  const found: BadRow[] = []
  await beginWith(session, commit, ['rows'])
  try {
    for (const { source } of await sources(session, commit, 'rows')) {
      if ((await refusal(session, commit, source, NO_ROWS)) !== undefined) return []
      const pending = [boundsOf((await session.run(findBounds(commit.table, source))).rows)]
      for (let slice = pending.pop(); slice !== undefined; slice = pending.pop()) {
        const error = await refusal(session, commit, source, slice)
        if (error === undefined) continue
        const [only] = slice
        const parts = halves(slice)
        pending.push(...parts.toReversed())
        if (parts.length > 0 || only === undefined) continue
        found.push({ topic: only.topic, partition: only.partition, offset: only.from, message: error.message })
        if (found.length <= MAX_BAD_ROWS) continue
        throw new RetryableError(
          'SnowflakeRefused',
          `more than ${MAX_BAD_ROWS} rows of a commit are such that Snowflake refuses it: ${error.message}`
        )
      }
    }
    return found
  } finally {
    await session.rollback()
  }
}

/** Why Snowflake does not take the rows of a slice; undefined when it does. */
async function refusal(
  session: TableSession,
  { table, staged }: Commit,
  source: Source,
  slice: Slice
): Promise<StatementError | undefined> {
  const ranges = staged.flatMap(each => each.ranges)
  try {
    await session.run(insertRows(table, source, ranges, slice))
    return undefined
  } catch (error) {
    if (isOfData(error)) return error
    throw error
  }
}

const isOfData = (error: unknown): error is StatementError =>
  error instanceof StatementError && error.refusal === 'Data'
