import type { SnowflakeSink } from '../../../crds/settled.ts'
import { literal } from './sql/identifier.ts'
import { tableObjects } from './sql/objects.ts'
import { StatementError } from './session/errors.ts'
import type { SnowflakeSession } from './session/session.ts'

type Place = Pick<SnowflakeSink, 'database' | 'schema'>

export interface FoundTable {
  /** `"DB"."SCHEMA"."TABLE"` */
  readonly ref: string
  /** Undefined when Snowflake does not tell. */
  readonly rows: number | undefined
}

/** Undefined when the table is not there. It goes last in a drop, so that one that was cut off can be repeated. */
export async function findSnowflakeTable(
  session: SnowflakeSession,
  place: Place,
  table: string
): Promise<FoundTable | undefined> {
  const objects = tableObjects(place, table, undefined)
  try {
    const { rows } = await session.run({
      text: `SHOW TABLES LIKE ${literal(objects.table)} IN SCHEMA ${objects.schemaRef}`
    })
    const found = rows.find(({ name }) => name === objects.table)
    const count = found?.['rows']
    return found && { ref: objects.tableRef, rows: count == null ? undefined : Number(count) }
  } catch (error) {
    if (error instanceof StatementError && error.refusal === 'ObjectMissing') return undefined
    throw error
  }
}

/**
 * Drops a table and what we keep beside it. The offsets go first: a table without them begins anew, while offsets without their
 * table would pass over records. UNDROP brings tables back, as long as the account keeps them.
 */
export async function dropSnowflakeTable(
  session: SnowflakeSession,
  place: Place,
  table: string
): Promise<'dropped' | 'absent'> {
  if ((await findSnowflakeTable(session, place, table)) === undefined) return 'absent'
  const { ledgerRef, commitsRef, stageRef, tableRef } = tableObjects(place, table, undefined)
  await session.run({ text: `DROP TABLE IF EXISTS ${ledgerRef}` })
  await session.run({ text: `DROP TABLE IF EXISTS ${commitsRef}` })
  await session.run({ text: `DROP STAGE IF EXISTS ${stageRef.slice(1)}` })
  await session.run({ text: `DROP TABLE IF EXISTS ${tableRef}` })
  return 'dropped'
}
