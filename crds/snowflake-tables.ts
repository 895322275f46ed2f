import type { BronzePipeline } from './pipeline.ts'
import type { Problem } from './problem.ts'
import { settle } from './settle.ts'
import type { SettledTopic } from './settled.ts'

/** What is wrong with the tables of a Snowflake sink: how names fold, and which columns there are, no rule of the server can say. */
export function snowflakeProblems(pipeline: BronzePipeline): readonly Problem[] {
  const { snowflake } = pipeline.spec.sink
  if (snowflake === undefined) return []
  const { topics } = settle(pipeline)
  return [...tablesAlike(topics, snowflake.schema), ...clusterColumns(topics, snowflake.clusterBy ?? [])]
}

/** `orders`, `ORDERS` and `public.orders` are one table, which must have one writer. */
function tablesAlike(topics: readonly SettledTopic[], schema: string): readonly Problem[] {
  const seen = new Map<string, string>()
  return topics.flatMap(({ table }, index) => {
    const folded = (table.includes('.') ? table : `${schema}.${table}`).toUpperCase()
    const other = seen.get(folded) ?? table
    seen.set(folded, other)
    if (other === table) return []
    return [
      {
        path: `spec.topics[${index}].table`,
        message: `${table} and ${other} are one table in Snowflake, ${folded}: write them alike`
      }
    ]
  })
}

function clusterColumns(topics: readonly SettledTopic[], clusterBy: readonly string[]): readonly Problem[] {
  return clusterBy.flatMap((name, index) => {
    for (const topic of topics) {
      const columns = columnTypes(topic)
      const type = columns.get(name.toUpperCase())
      if (type !== undefined && !UNORDERED.includes(type)) continue
      const message =
        type === undefined
          ? `table ${topic.table} has no column ${name}: name columns that all tables have, of ${[...columns.keys()].join(', ')}`
          : `Snowflake cannot cluster by ${name} of table ${topic.table}, a VARIANT: name another column`
      return [{ path: `spec.sink.snowflake.clusterBy[${index}]`, message }]
    }
    return []
  })
}

/** Types that Snowflake stores as VARIANT. */
const UNORDERED: readonly string[] = ['Variant', 'Headers']

function columnTypes({ metadataColumns, columns, quality }: SettledTopic): ReadonlyMap<string, string> {
  const own = metadataColumns.filter(({ isStagedOnly }) => isStagedOnly !== true)
  const flags = (quality?.rules ?? []).map(({ name }) => ({ name, type: 'Boolean' }))
  const score = quality === undefined ? [] : [{ name: quality.scoreColumn, type: 'Double' }]
  return new Map([...own, ...columns, ...flags, ...score].map(({ name, type }) => [name.toUpperCase(), type]))
}
