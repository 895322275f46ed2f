import { join } from 'node:path'
import { type Audit, audit, scan, tablePaths } from './audit.ts'
import type { EmbeddedBroker } from './broker/broker.ts'
import type { DataSet } from './data-sets.ts'
import { queryRows } from './duckdb.ts'
import type { Fed } from './feed.ts'
import { textTable } from './text-table.ts'

export interface Demo {
  readonly folder: string
  /** The sink's location, as a path. */
  readonly tables: string
  readonly broker: EmbeddedBroker
  readonly dataSets: readonly DataSet[]
  /** In the order of `dataSets`. */
  readonly fed: readonly Fed[]
  readonly seconds: () => number
  readonly say: (text: string) => void
}

/** Prints what is in the tables; returns the exit code: 1 when a count is wrong. */
export async function report(demo: Demo): Promise<number> {
  const { dataSets, fed, tables, broker, say } = demo
  const audits: Audit[] = []
  for (const { topic, table, partitions } of dataSets) {
    const ends = Array.from({ length: partitions }, (_, partition) => broker.endOffset(topic, partition))
    audits.push(await audit(tablePaths(tables, table), ends))
  }
  const wrong = dataSets.flatMap((dataSet, index) => problems(dataSet, fed[index] as Fed, audits[index] as Audit))
  const head = ['TABLE', 'PRODUCED', 'ROWS', 'DEAD LETTERS', 'TWICE', 'MISSING', 'FILES']
  const counts = dataSets.map(({ table }, index) => {
    const { rows, deadLetters, duplicates, missing, files } = audits[index] as Audit
    return [table, fed[index]?.records ?? 0, rows, deadLetters, duplicates, missing, files]
  })
  say(textTable(head, counts))
  say(`\n  Dead letters, by reason:\n${deadLetterTable(dataSets, audits)}`)
  await sample(demo)
  lookAround(demo)
  for (const problem of wrong) say(`✗ ${problem}\n`)
  const total = fed.reduce((sum, { records }) => sum + records, 0).toLocaleString('en-US')
  if (wrong.length === 0)
    say(
      `✓ Each of ${total} records is in its table or its dead-letter table exactly once. (${demo.seconds().toFixed(0)} s)\n`
    )
  return wrong.length === 0 ? 0 : 1
}

function deadLetterTable(dataSets: readonly DataSet[], audits: readonly Audit[]): string {
  const reasons = [...new Set(audits.flatMap(({ reasons }) => [...reasons.keys()]))].sort()
  const rows = dataSets.map(({ table }, index) => [
    table.replace('.', '.dlq_'),
    ...reasons.map(reason => audits[index]?.reasons.get(reason) ?? 0)
  ])
  return textTable(['TABLE', ...reasons], rows)
}

function problems({ table }: DataSet, fed: Fed, { rows, deadLetters, reasons, duplicates, missing }: Audit): string[] {
  const bad = [...fed.malformed.values()].reduce((sum, count) => sum + count, 0)
  const checks: [what: string, actual: number, expected: number][] = [
    ['rows', rows, fed.records - bad],
    ['dead letters', deadLetters, bad],
    ['offsets that are there twice', duplicates, 0],
    ['offsets that are missing', missing, 0],
    ...[...fed.malformed].map(([reason, count]): [string, number, number] => [
      `dead letters for ${reason}`,
      reasons.get(reason) ?? 0,
      count
    ])
  ]
  return checks
    .filter(([, actual, expected]) => actual !== expected)
    .map(([what, actual, expected]) => `${table}: ${actual} ${what}, not ${expected}`)
}

async function sample({ tables, say }: Demo): Promise<void> {
  const flights = scan(tablePaths(tables, 'bronze.flights').table)
  if (flights === undefined) return
  const rows = await queryRows<{ origin: string; destination: string; flights: bigint; delay: number }>(
    `SELECT origin, destination, count(*) AS flights, avg(delay_minutes) AS delay
     FROM ${flights} GROUP BY ALL HAVING count(*) > 100 ORDER BY delay DESC LIMIT 3`
  )
  say('\n  The routes with the longest mean delays, from bronze.flights:\n')
  say(
    textTable(
      ['ORIGIN', 'DESTINATION', 'FLIGHTS', 'MEAN DELAY'],
      rows.map(row => [row.origin, row.destination, Number(row.flights), `${row.delay.toFixed(1)} min`])
    )
  )
  const quakes = scan(tablePaths(tables, 'bronze.earthquakes').table)
  if (quakes === undefined) return
  const strongest = await queryRows<{ id: string; magnitude: number; place: string }>(
    `SELECT _ingestion_id AS id, magnitude, place FROM ${quakes} ORDER BY magnitude DESC NULLS LAST LIMIT 3`
  )
  say('\n  The strongest earthquakes, from bronze.earthquakes:\n')
  say(
    textTable(
      ['_INGESTION_ID', 'MAGNITUDE', 'PLACE'],
      strongest.map(({ id, magnitude, place }) => [id, magnitude, place])
    )
  )
}

function lookAround({ folder, tables, say }: Demo): void {
  const flights = tablePaths(tables, 'bronze.flights').table
  say(`
  Look around: everything is in ${folder}
    tables/         Delta tables, for DuckDB, Spark, Trino, pandas, polars …
    pipeline.yaml   the manifest     logs/   what the consumers said     kafka/   the broker's log
  For example, with Python:  pip install deltalake pandas
    python3 -c "import deltalake; print(deltalake.DeltaTable('${flights}').to_pandas())"
  or with the DuckDB shell:
    duckdb -c "SELECT * FROM delta_scan('${flights}') LIMIT 5"
  When you have seen enough:  ${process.platform === 'win32' ? 'rmdir /s' : 'rm -r'} ${join(folder)}

`)
}
