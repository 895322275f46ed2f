import { parseDurationMs } from '../lib/duration.ts'
import { parseQuantity } from '../lib/quantity.ts'
import { standardName } from './metadata-columns.ts'
import type {
  BronzePipelineSpec,
  ColumnSpec,
  DeadLettersSpec,
  DeltaSpec,
  MetadataColumnSpec,
  ResourceList,
  ResourcesSpec,
  ScalingSpec,
  SecuritySpec,
  SourceSpec,
  TopicSpec,
  TopicStartFrom
} from './pipeline.ts'

/**
 * The TypeScript twin of a CEL rule of the definition: whether it holds for the value at the place where the rule stands.
 * `old` is the value before an update; rules that mention it are asked on updates only.
 */
export type Rule = (self: unknown, old: unknown) => boolean

/** By the message of the CEL rule. */
export const rules: ReadonlyMap<string, Rule> = new Map([
  rule<BronzePipelineSpec>('entries that share a table must have the same format, columns and batch', ({ topics }) =>
    allAlike(
      topics,
      topic => topic.table,
      topic => canonical([topic.format, sorted(topic.columns), topic.batch ?? null])
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
    return !columnNames(self).some(name => taken.has(name))
  }),
  rule<BronzePipelineSpec>(
    "the column name `value` is taken by the record's value: rename or omit it in metadataColumns first",
    self => {
      const value = self.metadataColumns.find(column => column.source === 'Value')
      const isFree = value?.omit === true || (value?.name ?? 'value').toLowerCase() !== 'value'
      return isFree || !columnNames(self).includes('value')
    }
  ),
  rule<BronzePipelineSpec>(
    'a column that partitions the table cannot be omitted: keep it or change sink.delta.partitionBy',
    self => {
      const { partitionBy } = self.sink.delta
      const needed: readonly string[] = { None: [], Date: ['IngestionDate'], Hour: ['IngestionDate', 'IngestionHour'] }[
        partitionBy
      ]
      return !self.metadataColumns.some(column => column.omit === true && needed.includes(column.source))
    }
  ),
  rule<BronzePipelineSpec>('a table may not be named as deadLetters.table names dead-letter tables', self => {
    if (self.deadLetters.policy !== 'Table') return true
    const [before = '', after = ''] = (self.deadLetters.table ?? 'dlq_{table}').split('{table}')
    const isTaken = (name: string) =>
      name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    return !self.topics.some(topic => topic.table.split('.').some(isTaken))
  }),
  rule<BronzePipelineSpec>('a topic may not be named as deadLetters.topic names dead-letter topics', self => {
    if (self.deadLetters.policy !== 'Topic') return true
    const [before = '', after] = (self.deadLetters.topic ?? '{topic}.dlq').split('{topic}')
    const isTaken = (name: string) =>
      after === undefined
        ? name === before
        : name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
    return !self.topics.flatMap(topicName).some(isTaken)
  }),
  rule<SourceSpec>(
    'groupId is immutable: create another pipeline to read under another group',
    (self, old) => self.groupId === old.groupId
  ),
  rule<SecuritySpec>(
    'mechanism is required with the protocols SASL_PLAINTEXT and SASL_SSL, and refused with the others',
    self => (self.mechanism !== undefined) === self.protocol.startsWith('SASL_')
  ),
  rule<SecuritySpec>(
    'credentialsSecretRef is required with the protocols SASL_PLAINTEXT and SASL_SSL, and refused with the others',
    self => (self.credentialsSecretRef !== undefined) === self.protocol.startsWith('SASL_')
  ),
  rule<SecuritySpec>(
    'tokenEndpoint and scope go with the mechanism OAUTHBEARER only, scope with tokenEndpoint only',
    ({ tokenEndpoint, scope, mechanism }) =>
      tokenEndpoint === undefined ? scope === undefined : mechanism === 'OAUTHBEARER'
  ),
  rule<SecuritySpec>(
    'caSecretRef and clientCertificateSecretRef go with the protocols SSL and SASL_SSL only',
    self => self.protocol.endsWith('SSL') || (!self.caSecretRef && !self.clientCertificateSecretRef)
  ),
  rule<TopicStartFrom>(
    'timestamp is required with position Timestamp, and refused with the others',
    self => (self.timestamp !== undefined) === (self.position === 'Timestamp')
  ),
  rule<TopicStartFrom>(
    'groupId is required with position Group, and refused with the others',
    self => (self.groupId !== undefined) === (self.position === 'Group')
  ),
  rule<TopicStartFrom>(
    'offsets is required with position Offsets, and refused with the others',
    self => (self.offsets !== undefined) === (self.position === 'Offsets')
  ),
  rule<TopicSpec>('give topic or pattern, not both', self => self.topic === undefined || self.pattern === undefined),
  rule<TopicSpec>(
    'pattern must be a valid regular expression: check its brackets and ranges',
    self => self.pattern === undefined || isRegularExpression(self.pattern)
  ),
  rule<TopicSpec>(
    'columns lifted from the value need a format that can be read: set format to Json',
    self => self.format === 'Json' || self.columns.every(column => column.value === undefined)
  ),
  rule<TopicSpec>('column names must be unique, ignoring case', self =>
    areUnique(self.columns.map(column => column.name.toLowerCase()))
  ),
  rule<TopicSpec>(
    'position Offsets needs one topic: replace pattern by topic',
    self => self.startFrom?.position !== 'Offsets' || self.pattern === undefined
  ),
  rule<string>(
    'table is immutable: add an entry of another name to write to another table',
    (self, old) => self === old
  ),
  rule<string>(
    'triggerInterval must lie between 100ms and 24h',
    self => !self.includes('d') && isBetween(parseDurationMs(self), 100, 86_400_000)
  ),
  rule<string>('maxBytes must lie between 64Ki and 1Gi', self => isBetween(parseQuantity(self), 2 ** 16, 2 ** 30)),
  rule<string>('maxRecordBytes must lie between 1Ki and 256Mi', self =>
    isBetween(parseQuantity(self), 2 ** 10, 2 ** 28)
  ),
  rule<ColumnSpec>(
    'give exactly one of value, header and key',
    self => [self.value, self.header, self.key].filter(from => from !== undefined).length === 1
  ),
  rule<readonly MetadataColumnSpec[]>('metadata columns must have different names, ignoring case', self =>
    areUnique(self.flatMap(column => column.name?.toLowerCase() ?? []))
  ),
  rule<readonly MetadataColumnSpec[]>(
    'a metadata column may not take the standard name of another, nor a name that begins with _kafka_, _ingest or _error',
    self =>
      self.every(({ source, name = '' }) => {
        const lower = name.toLowerCase()
        return lower === standardName(source) || !RESERVED.test(lower)
      })
  ),
  rule<MetadataColumnSpec>(
    'an omitted column has neither name nor type',
    self => self.omit === undefined || (self.name === undefined && self.type === undefined)
  ),
  rule<MetadataColumnSpec>(
    'type goes with the sources Key and Value only',
    self => self.type === undefined || self.source === 'Key' || self.source === 'Value'
  ),
  rule<DeltaSpec>(
    's3 goes with a location that begins with s3:// only',
    self => self.s3 === undefined || self.location.startsWith('s3://')
  ),
  rule<string>('location is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('location needs a folder after file://', self => self !== 'file://'),
  rule<string>(
    'partitionBy is immutable: a table keeps the partitioning it was created with',
    (self, old) => self === old
  ),
  rule<DeadLettersSpec>(
    'table goes with policy Table only',
    self => self.table === undefined || self.policy === 'Table'
  ),
  rule<DeadLettersSpec>(
    'topic goes with policy Topic only',
    self => self.topic === undefined || self.policy === 'Topic'
  ),
  rule<ScalingSpec>(
    'replicas is required with mode External, and refused with the others',
    self => (self.replicas !== undefined) === (self.mode === 'External')
  ),
  rule<ScalingSpec>(
    'partitionsPerReplica and maxReplicas go with mode Partitions only',
    self => self.mode === 'Partitions' || (self.partitionsPerReplica === undefined && self.maxReplicas === undefined)
  ),
  rule<ResourcesSpec>('requests may not be larger than limits', ({ requests = {}, limits = {} }) =>
    (['cpu', 'memory', 'ephemeral-storage'] as const).every(
      name => amount(requests, name, 0) <= amount(limits, name, Infinity)
    )
  ),
  rule<Readonly<Record<string, string>>>(
    'keys must be label keys: a name of at most 63 letters, digits, hyphens, underscores and dots, perhaps after a domain and a slash',
    self => Object.keys(self).every(key => key.length <= 316 && LABEL_KEY.test(key))
  ),
  rule<Readonly<Record<string, string>>>(
    'keys that begin with bronze.dev/ or app.kubernetes.io/ are set by the operator',
    self => !Object.keys(self).some(key => key.startsWith('bronze.dev/') || key.startsWith('app.kubernetes.io/'))
  )
])

const RESERVED = /^(value|_kafka_.*|_ingest.*|_consumer_id|_schema_version|_error.*)$/
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

function rule<T>(message: string, holds: (self: T, old: T) => boolean): readonly [string, Rule] {
  return [message, holds as Rule]
}

function topicName({ name, topic, pattern }: TopicSpec): string[] {
  return pattern === undefined ? [topic ?? name] : []
}

function columnNames(spec: BronzePipelineSpec): string[] {
  return spec.topics.flatMap(topic => topic.columns.map(column => column.name.toLowerCase()))
}

function areUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length
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
function sorted(columns: readonly ColumnSpec[]): readonly ColumnSpec[] {
  return columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** JSON with the keys of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )
}

function isRegularExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== ''
  } catch {
    return false
  }
}

function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most
}

function amount(list: ResourceList, name: keyof ResourceList, absent: number): number {
  const quantity = list[name]
  return quantity === undefined ? absent : (parseQuantity(String(quantity)) ?? absent)
}
