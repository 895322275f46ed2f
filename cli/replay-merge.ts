import type { SettledPipeline, SettledTopic } from '../crds/settled.ts'

/**
 * How rows of a replay come into the live table without doubles, for engines that can write it, or how both are read as one:
 * a row is known by its ingestion id, or by topic, partition and offset where the table has none.
 */
export function mergeStatement(
  { sink }: Pick<SettledPipeline, 'sink'>,
  { metadataColumns }: Pick<SettledTopic, 'metadataColumns'>,
  live: string,
  replay: string
): string {
  const named = (source: string) => metadataColumns.find(column => column.source === source)?.name
  const id = named('IngestionId')
  const keys = id === undefined ? ['Topic', 'Partition', 'Offset'].flatMap(source => named(source) ?? []) : [id]
  const on = keys.map(key => `live.${key} = replay.${key}`).join(' AND ')
  const path = (table: string) => table.replaceAll('.', '/')
  switch (sink.kind) {
    case 'delta': {
      const at = (table: string) => `delta.\`${sink.delta.location}/${path(table)}\``
      return `MERGE INTO ${at(live)} AS live USING ${at(replay)} AS replay ON ${on} WHEN NOT MATCHED THEN INSERT *;`
    }
    case 'iceberg':
      return `MERGE INTO ${live} AS live USING ${replay} AS replay ON ${on} WHEN NOT MATCHED THEN INSERT *;`
    case 'snowflake':
      return `MERGE INTO ${live} AS live USING ${replay} AS replay ON ${on} WHEN NOT MATCHED THEN INSERT ALL BY NAME;`
    case 's3': {
      const reader = sink.s3.format === 'Parquet' ? 'read_parquet' : 'read_json'
      const ending = { Parquet: 'parquet', Zstd: 'ndjson.zst', Gzip: 'ndjson.gz' }[
        sink.s3.format === 'Parquet' ? 'Parquet' : sink.s3.compression
      ]
      const at = (table: string) => `${reader}('${sink.s3.location}/${path(table)}/**/*.${ending}')`
      return (
        `SELECT * FROM ${at(live)} UNION ALL BY NAME ` +
        `SELECT replay.* FROM ${at(replay)} AS replay ANTI JOIN ${at(live)} AS live ON ${on};`
      )
    }
  }
}
