import { fold, literal, quoted } from './identifier.ts'
import type { TableObjects } from './objects.ts'
import type { Row, Statement } from '../session/session.ts'

/** Needs no warehouse, and wakes none. In a pattern `_` stands for any character: others may be found beside it. */
export const showWarehouse = (warehouse: string): Statement => ({
  text: `SHOW WAREHOUSES LIKE ${literal(fold(warehouse, 'sink.snowflake.warehouse'))}`,
  binds: []
})

/** Whether the warehouse runs, so that using it now wakes nothing; undefined when we may not see it. */
export function isWarehouseRunning(rows: readonly Row[], warehouse: string): boolean | undefined {
  const name = fold(warehouse, 'sink.snowflake.warehouse')
  const state = rows.find(row => row['name'] === name)?.['state']
  return state === undefined || state === null ? undefined : state === 'STARTED' || state === 'RESUMING'
}

/** What the queries of this session took of a warehouse since then; those of the last 7 days are known, at most 10,000. */
export const queryCost = ({ database }: TableObjects, sinceMs: number): Statement => ({
  text: [
    'SELECT COUNT(*) AS QUERIES, SUM(Q.EXECUTION_TIME) AS EXECUTION_MS, MAX(Q.WAREHOUSE_SIZE) AS WAREHOUSE_SIZE',
    `FROM TABLE(${quoted(database)}.INFORMATION_SCHEMA.QUERY_HISTORY_BY_SESSION(RESULT_LIMIT => 10000)) AS Q`,
    'WHERE Q.WAREHOUSE_SIZE IS NOT NULL AND DATE_PART(EPOCH_MILLISECOND, Q.START_TIME) >= ?'
  ].join('\n'),
  binds: [sinceMs]
})

export interface QueryCost {
  /** Seconds of execution, summed over queries: a warehouse that runs several at once is awake for less, one left idle for more. */
  readonly seconds: number
  readonly warehouseSize: string | undefined
}

/** Undefined when there were none. */
export function costOf([row]: readonly Row[]): QueryCost | undefined {
  const milliseconds = Number(row?.['EXECUTION_MS'] ?? Number.NaN)
  if (!Number.isFinite(milliseconds)) return undefined
  return { seconds: milliseconds / 1_000, warehouseSize: row?.['WAREHOUSE_SIZE'] ?? undefined }
}
