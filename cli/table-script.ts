import { planTables, type TablePlan } from '../consumer/columns/bronze.ts'
import type { PartitionField, TableSchema } from '../consumer/columns/schema.ts'
import type { IcebergSink, S3Sink, SettledPipeline } from '../crds/settled.ts'
import { columnTexts } from './column-types.ts'

/** The tables of a pipeline as text that reads like SQL. The same for the same pipeline, whatever is there. */
export async function tableScript(pipeline: SettledPipeline): Promise<string> {
  const texts: string[] = []
  for (const plan of planTables(pipeline)) texts.push(...(await planTexts(pipeline, plan)))
  return texts.join('\n')
}

async function planTexts(pipeline: SettledPipeline, plan: TablePlan): Promise<readonly string[]> {
  const { sink } = pipeline
  if (sink.kind === 'snowflake') {
    // What makes its SQL is much, and nobody else needs it.
    const [{ initScript }, { snowflakeTable }] = await Promise.all([
      import('../consumer/sinks/snowflake/sql/init.ts'),
      import('../consumer/sinks/snowflake/sql/table.ts')
    ])
    return [initScript(snowflakeTable(plan, pipeline, sink.snowflake), sink.snowflake)]
  }
  const { table, schema, deadLetterTable, deadLetterSchema } = plan
  const more = plan.growth === undefined ? [] : ['Each field of the values becomes a column when it first comes.']
  return [
    tableText(pipeline, table, schema, more),
    ...(deadLetterTable === undefined
      ? []
      : [tableText(ofDeadLetters(pipeline), deadLetterTable, deadLetterSchema, [])])
  ]
}

/** Their folders are made of the time of the commit. */
const ofDeadLetters = (pipeline: SettledPipeline): SettledPipeline =>
  pipeline.sink.kind === 's3'
    ? { ...pipeline, sink: { ...pipeline.sink, s3: { ...pipeline.sink.s3, pathTime: 'IngestedAt' } } }
    : pipeline

function tableText({ sink }: SettledPipeline, table: string, schema: TableSchema, notes: readonly string[]): string {
  const folder = table.replaceAll('.', '/')
  switch (sink.kind) {
    case 'delta':
      return createText(table, schema, 'delta', {
        notes,
        clauses: ['USING delta', ...partitionedBy(schema.partitionBy), `LOCATION '${sink.delta.location}/${folder}'`]
      })
    case 'iceberg':
      return createText(table, schema, 'iceberg', {
        notes: [...notes, catalogNote(sink.iceberg)],
        clauses: [
          'USING iceberg',
          ...partitionedBy((schema.partitionFields ?? []).map(transformText)),
          ...icebergClauses(sink.iceberg, folder, schema)
        ]
      })
    case 's3':
    case 'snowflake':
      return createText(table, schema, sink.kind, {
        notes: [...notes, ...(sink.kind === 's3' ? s3Notes(sink.s3) : [])],
        clauses: sink.kind === 's3' ? [`LOCATION '${sink.s3.location}/${folder}'`] : []
      })
  }
}

function icebergClauses(
  { location, formatVersion }: IcebergSink,
  folder: string,
  { sortBy = [] }: TableSchema
): readonly string[] {
  return [
    ...(sortBy.length === 0 ? [] : [`ORDERED BY (${sortBy.join(', ')})`]),
    ...(location === undefined ? [] : [`LOCATION '${location}/${folder}'`]),
    `TBLPROPERTIES ('format-version' = '${formatVersion}')`
  ]
}

const catalogNote = ({ catalog: { uri, warehouse } }: IcebergSink): string =>
  `In the catalog ${uri}${warehouse === undefined ? '' : `, warehouse ${warehouse}`}.`

function s3Notes({ format, compression, layout, path, pathTime }: S3Sink): readonly string[] {
  const what = format === 'Parquet' ? 'Parquet' : `NDJSON (${compression})`
  const below = path === '' ? 'the table’s folder' : `${path}/`
  const time = /\{(?:yyyy|MM|dd|HH)\}/.test(path) ? `, by ${pathTime}` : ''
  return [`${what} objects in ${below}${time}; layout ${layout}.`]
}

function createText(
  table: string,
  schema: TableSchema,
  kind: SettledPipeline['sink']['kind'],
  { notes, clauses }: { readonly notes: readonly string[]; readonly clauses: readonly string[] }
): string {
  const columns = columnTexts(schema, kind)
  const width = Math.max(...columns.map(({ name }) => name.length))
  const comments = new Map(schema.fields.map(({ name, comment }) => [name, comment]))
  const lines = columns.map(({ name, type }, index) => {
    const comment = comments.get(name)
    const comma = index === columns.length - 1 ? '' : ','
    return `  ${name.padEnd(width)} ${type}${comma}${comment === undefined ? '' : `  -- ${comment}`}`
  })
  const end = [')', ...clauses].join('\n')
  return [...notes.map(note => `-- ${note}`), `CREATE TABLE ${table} (`, ...lines, `${end};`, ''].join('\n')
}

const partitionedBy = (columns: readonly string[]): readonly string[] =>
  columns.length === 0 ? [] : [`PARTITIONED BY (${columns.join(', ')})`]

function transformText({ column, transform }: PartitionField): string {
  if (transform === 'identity') return column
  if (typeof transform === 'string') return `${transform}(${column})`
  return 'bucket' in transform ? `bucket(${transform.bucket}, ${column})` : `truncate(${transform.truncate}, ${column})`
}
