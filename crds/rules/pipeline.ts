import type { BronzePipelineSpec, SinkSpec, TopicSpec } from '../pipeline.ts'
import { isRegistered, schemaMode } from '../schema-mode.ts'
import { areUnique, canonical, liftedNames, qualityNames, rule, wrongTopics, type RuleEntry } from './rule.ts'

/** What entries, metadata columns and sink must be together. */
export const pipelineRules: readonly RuleEntry[] = [
  rule<BronzePipelineSpec>(
    'entries that share a table must have the same format, schema, columns, quality and batch',
    ({ topics }) =>
      allAlike(
        topics,
        topic => topic.table,
        ({ format, schema, columns, quality, batch }) =>
          canonical([
            format,
            schema ?? null,
            sorted(columns),
            quality ? { ...quality, rules: sorted(quality.rules) } : null,
            batch ?? null
          ])
      )
  ),
  rule<BronzePipelineSpec>(
    'no table may lie inside another: with a table `a` there can be no table `a.b`',
    ({ topics }) => {
      const tables = new Set(topics.map(topic => topic.table))
      const outer = (table: string) => [...table.matchAll(/[.]/g)].map(({ index }) => table.slice(0, index))
      return !topics.some(topic => outer(topic.table).some(name => tables.has(name)))
    }
  ),
  rule<BronzePipelineSpec>('each topic may be read by one entry only', ({ topics }) =>
    areUnique(topics.flatMap(topicName))
  ),
  rule<BronzePipelineSpec>('a column may not have the name of a metadata column, ignoring case', self => {
    const taken = new Set(self.metadataColumns.map(column => column.name?.toLowerCase()))
    return !self.topics.flatMap(liftedNames).some(name => taken.has(name))
  }),
  rule<BronzePipelineSpec>(
    "the column name `value` is taken by the record's value: rename or omit it in metadataColumns first",
    self => {
      const value = self.metadataColumns.find(column => column.source === 'Value')
      const isFree = value?.omit === true || (value?.name ?? 'value').toLowerCase() !== 'value'
      const holdsValue = (topic: TopicSpec) => value !== undefined || schemaMode(topic) === 'Payload'
      return (
        isFree ||
        !self.topics.some(
          topic => holdsValue(topic) && [...liftedNames(topic), ...qualityNames(topic)].includes('value')
        )
      )
    }
  ),
  rule<BronzePipelineSpec>('a quality column may not have the name of a metadata column, ignoring case', self => {
    const taken = new Set(self.metadataColumns.map(column => column.name?.toLowerCase()))
    return !self.topics.flatMap(qualityNames).some(name => taken.has(name))
  }),
  rule<BronzePipelineSpec>(
    'values of formats Avro, Protobuf and JsonSchema are no text: leave the type of Value out, give it as Binary, or set schema.mode to Payload with JsonSchema',
    self =>
      !self.metadataColumns.some(column => column.source === 'Value' && column.type === 'String') ||
      self.topics.every(
        topic => !isRegistered(topic) || (topic.format === 'JsonSchema' && topic.schema?.mode !== undefined)
      )
  ),
  rule<BronzePipelineSpec>(
    'SchemaVersion goes with formats Avro, Protobuf and JsonSchema only: no topic has one',
    self => !self.metadataColumns.some(column => column.source === 'SchemaVersion') || self.topics.some(isRegistered)
  ),
  rule<BronzePipelineSpec>(
    "a column that partitions the table cannot be omitted: keep it or change the sink's partitionBy",
    self => {
      const needed = partitioningSources(self.sink)
      return !self.metadataColumns.some(column => column.omit === true && needed.includes(column.source))
    }
  ),
  rule<BronzePipelineSpec>(
    'formats Avro, Protobuf and JsonSchema need a schema registry: give source.schemaRegistry',
    self => self.source.schemaRegistry !== undefined || !self.topics.some(isRegistered)
  ),
  rule<BronzePipelineSpec>(
    'a table of an Iceberg catalog lies in a namespace: `bronze.trips`, not `trips`',
    ({ sink, topics }) => sink.iceberg === undefined || wrongTopics(topics, 'table', ({ table }) => table.includes('.'))
  ),
  rule<BronzePipelineSpec>('a table may not be named as deadLetters.table names dead-letter tables', self => {
    if (self.deadLetters.policy !== 'Table') return true
    const fold = (text: string) => (self.sink.snowflake === undefined ? text : text.toLowerCase())
    const [before = '', after = ''] = fold(self.deadLetters.table ?? 'dlq_{table}').split('{table}')
    const isTaken = (name: string) =>
      name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    return wrongTopics(self.topics, 'table', ({ table }) => !fold(table).split('.').some(isTaken))
  }),
  rule<BronzePipelineSpec>('a topic may not be named as deadLetters.topic names dead-letter topics', self => {
    if (self.deadLetters.policy !== 'Topic') return true
    const [before = '', after] = (self.deadLetters.topic ?? '{topic}.dlq').split('{topic}')
    const isTaken = (name: string) =>
      after === undefined
        ? name === before
        : name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    return !self.topics.flatMap(topicName).some(isTaken)
  })
]

function topicName({ name, topic, pattern }: TopicSpec): string[] {
  return pattern === undefined ? [topic ?? name] : []
}

/** Whether items with the same key have the same form. */
function allAlike<T>(items: readonly T[], key: (item: T) => string, form: (item: T) => string): boolean {
  const forms = new Map<string, string>()
  return items.every(item => {
    const known = forms.get(key(item))
    if (known === undefined) forms.set(key(item), form(item))
    return known === undefined || known === form(item)
  })
}

/** In a list map the order says nothing. */
function sorted<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function partitioningSources({ delta, iceberg }: SinkSpec): readonly string[] {
  const byDelta = { None: [], Date: ['IngestionDate'], Hour: ['IngestionDate', 'IngestionHour'] }
  return [...byDelta[delta?.partitionBy ?? 'None'], ...(iceberg?.partitionBy ?? []).map(({ source }) => source)]
}
