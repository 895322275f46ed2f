import { DuckDBInstance } from '@duckdb/node-api'

/** The rows of one query on a database of its own, in memory; numbers as they come, 64-bit ones as bigint. */
export async function queryRows<Row>(sql: string): Promise<readonly Row[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(sql)
    return reader.getRowObjectsJS() as readonly unknown[] as readonly Row[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
