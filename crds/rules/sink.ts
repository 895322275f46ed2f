import type {
  DeadLettersSpec,
  DeltaSpec,
  IcebergCatalogSpec,
  IcebergSpec,
  PartitionFieldSpec,
  S3SinkSpec,
  SinkSpec
} from '../pipeline.ts'
import { areUnique, canonical, rule, type RuleEntry } from './rule.ts'

export const sinkRules: readonly RuleEntry[] = [
  rule<SinkSpec>(
    'give exactly one of delta, iceberg, snowflake and s3',
    self => KINDS.filter(kind => self[kind] !== undefined).length === 1
  ),
  rule<SinkSpec>('the kind of the sink is immutable: create another pipeline to write elsewhere', (self, old) =>
    KINDS.every(kind => (self[kind] !== undefined) === (old[kind] !== undefined))
  ),
  rule<DeltaSpec | S3SinkSpec>(
    's3 goes with a location that begins with s3:// only',
    self => self.s3 === undefined || self.location.startsWith('s3://')
  ),
  rule<string>('location is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('location needs a folder after file://', self => self !== 'file://'),
  rule<unknown>(
    'partitionBy is immutable: a table keeps the partitioning it was created with',
    (self, old) => canonical(self) === canonical(old)
  ),
  rule<IcebergSpec>(
    'location is immutable: the tables stay where they are',
    (self, old) => self.location === old.location
  ),
  rule<IcebergCatalogSpec>(
    'warehouse is immutable: create another pipeline to write elsewhere',
    (self, old) => self.warehouse === old.warehouse
  ),
  rule<IcebergCatalogSpec>(
    'tokenEndpoint and scope go with credentialsSecretRef only',
    self => self.credentialsSecretRef !== undefined || (self.tokenEndpoint === undefined && self.scope === undefined)
  ),
  rule<string>('uri is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('uri goes without /v1: it is added to each request', self => !self.endsWith('/v1')),
  rule<readonly PartitionFieldSpec[]>(
    'a source may have one transform by time and one of each other kind: leave out what another one implies',
    self =>
      areUnique(self.map(({ source, transform }) => `${source} ${TIMES.includes(transform) ? 'time' : transform}`))
  ),
  rule<PartitionFieldSpec>(
    'width is required with the transforms Bucket and Truncate, and refused with the others',
    self => (self.width !== undefined) === (self.transform === 'Bucket' || self.transform === 'Truncate')
  ),
  rule<PartitionFieldSpec>(
    'transform must fit the source: times take Year to Hour, dates Year to Day, texts and numbers Truncate, all Bucket and all but Offset Identity',
    self => TRANSFORMS[self.source].includes(self.transform)
  ),
  rule<number>(
    'formatVersion is immutable: a table keeps the version it was created with',
    (self, old) => self === old
  ),
  rule<DeadLettersSpec>(
    'table goes with policy Table only',
    self => self.table === undefined || self.policy === 'Table'
  ),
  rule<DeadLettersSpec>(
    'topic goes with policy Topic only',
    self => self.topic === undefined || self.policy === 'Topic'
  )
]

const KINDS = ['delta', 'iceberg', 'snowflake', 's3'] as const

const TIMES: readonly string[] = ['Year', 'Month', 'Day', 'Hour']

const TRANSFORMS: Readonly<Record<PartitionFieldSpec['source'], readonly PartitionFieldSpec['transform'][]>> = {
  Topic: ['Identity', 'Bucket', 'Truncate'],
  Partition: ['Identity', 'Bucket', 'Truncate'],
  Offset: ['Bucket', 'Truncate'],
  Timestamp: ['Identity', 'Year', 'Month', 'Day', 'Hour', 'Bucket'],
  Key: ['Identity', 'Bucket', 'Truncate'],
  IngestedAt: ['Identity', 'Year', 'Month', 'Day', 'Hour', 'Bucket'],
  IngestionDate: ['Identity', 'Year', 'Month', 'Day', 'Bucket']
}
