import { join } from 'node:path'
import { liveFiles } from './delta-files.ts'
import { queryRows } from './duckdb.ts'

/** A table and its dead letters, counted by DuckDB. */
export interface Audit {
  readonly rows: number
  readonly deadLetters: number
  /** Dead letters by reason. */
  readonly reasons: ReadonlyMap<string, number>
  /** Coordinates (partition, offset) that are there more than once, in table and dead letters together. */
  readonly duplicates: number
  /** Offsets that are nowhere. */
  readonly missing: number
  /** Live Parquet files of the table. */
  readonly files: number
}

export interface TablePaths {
  readonly table: string
  readonly deadLetters: string
}

/** Where `bronze.flights` and its dead letters lie below the sink's location. */
export function tablePaths(location: string, name: string): TablePaths {
  const [schema = '', table = ''] = name.split('.')
  return { table: join(location, schema, table), deadLetters: join(location, schema, `dlq_${table}`) }
}

/** `ends` are the end offsets of the topic's partitions, which begin at 0. */
export async function audit({ table, deadLetters }: TablePaths, ends: readonly number[]): Promise<Audit> {
  const sources = { table: scan(table), deadLetters: scan(deadLetters) }
  const coordinates = [sources.table, sources.deadLetters]
    .filter(source => source !== undefined)
    .map((source, index) => `SELECT ${index} AS part, _kafka_partition AS p, _kafka_offset AS o FROM ${source}`)
  const [counts] = await queryRows<{ rows: bigint; dead: bigint; duplicates: bigint; found: bigint }>(
    `WITH every AS (${coordinates.join(' UNION ALL ')}),
       within AS (SELECT DISTINCT p, o FROM every WHERE ${inside(ends)})
     SELECT (SELECT count(*) FROM every WHERE part = 0) AS rows, (SELECT count(*) FROM every WHERE part = 1) AS dead,
       (SELECT count(*) FROM every) - (SELECT count(*) FROM (SELECT DISTINCT p, o FROM every)) AS duplicates,
       (SELECT count(*) FROM within) AS found`
  )
  const reasons =
    sources.deadLetters === undefined
      ? []
      : await queryRows<{ reason: string; count: bigint }>(
          `SELECT reason, count(*) AS count FROM ${sources.deadLetters} GROUP BY reason ORDER BY reason`
        )
  const records = ends.reduce((sum, end) => sum + end, 0)
  return {
    rows: Number(counts?.rows ?? 0),
    deadLetters: Number(counts?.dead ?? 0),
    reasons: new Map(reasons.map(({ reason, count }) => [reason, Number(count)])),
    duplicates: Number(counts?.duplicates ?? 0),
    missing: records - Number(counts?.found ?? 0),
    files: liveFiles(table).length
  }
}

/** What DuckDB reads for a table: its live files; undefined when it has none. */
export function scan(table: string): string | undefined {
  const files = liveFiles(table)
  if (files.length === 0) return undefined
  return `read_parquet([${files.map(file => `'${file.replaceAll("'", "''")}'`).join(', ')}], hive_partitioning = false)`
}

const inside = (ends: readonly number[]): string =>
  ends.map((end, partition) => `(p = ${partition} AND o >= 0 AND o < ${end})`).join(' OR ')
