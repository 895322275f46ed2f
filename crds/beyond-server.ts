import { standardName } from './metadata-columns.ts'
import { partitionFieldName } from './partition-field.ts'
import type { BronzePipeline, TopicSpec } from './pipeline.ts'
import type { Problem } from './problem.ts'
import { qualityProblems } from './quality.ts'
import { snowflakeProblems } from './snowflake-tables.ts'

/**
 * What is wrong with a pipeline that the API server would accept, since no rule of its can say so at a cost that it allows.
 * On Kubernetes the operator tells it in SpecAccepted.
 */
export function problemsBeyondServer(pipeline: BronzePipeline): readonly Problem[] {
  return [...partitionNames(pipeline), ...snowflakeProblems(pipeline), ...qualityProblems(pipeline)]
}

/** Iceberg's catalogs refuse a table that has a column and a partition field of one name. */
function partitionNames({ spec: { sink, metadataColumns, topics } }: BronzePipeline): readonly Problem[] {
  const names = [...metadataColumns.flatMap(({ name }) => name ?? []), ...topics.flatMap(columnNames)]
  const taken = new Set(names.map(name => name.toLowerCase()))
  return (sink.iceberg?.partitionBy ?? []).flatMap(({ source, transform }, index) => {
    if (transform === 'Identity') return []
    const column = metadataColumns.find(column => column.source === source)?.name ?? standardName(source)
    const name = partitionFieldName(column, transform)
    if (!taken.has(name.toLowerCase())) return []
    return [
      {
        path: `spec.sink.iceberg.partitionBy[${index}]`,
        message: `makes a field ${name}: rename the column of that name`
      }
    ]
  })
}

function columnNames({ columns, quality }: TopicSpec): readonly string[] {
  return [
    ...columns.map(({ name }) => name),
    ...(quality ? [...quality.rules.map(({ name }) => name), quality.scoreColumn] : [])
  ]
}
