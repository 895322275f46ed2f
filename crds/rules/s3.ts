import type { S3EncryptionSpec, S3SinkSpec } from '../pipeline.ts'
import { rule, type RuleEntry } from './rule.ts'

export const s3Rules: readonly RuleEntry[] = [
  rule<S3SinkSpec>(
    'compression goes with format Ndjson only: the pages of Parquet are Zstd',
    ({ compression, format }) => compression === undefined || format === 'Ndjson'
  ),
  rule<S3SinkSpec>(
    "with layout Glob no object's name has a time in it: path may have {topic} and {partition}",
    ({ layout, path }) => layout !== 'Glob' || path === undefined || !HAS_TIME.test(path)
  ),
  rule<S3SinkSpec>(
    'pathTime goes with a path that has {yyyy}, {MM}, {dd} or {HH} in it only',
    ({ pathTime, layout, path }) =>
      pathTime === undefined || (layout === 'Partitioned' && (path === undefined || HAS_TIME.test(path)))
  ),
  rule<string>(
    'format is immutable: readers of a folder expect one; create another pipeline to write another',
    (self, old) => self === old
  ),
  rule<string>('layout is immutable: create another pipeline to write another', (self, old) => self === old),
  rule<S3EncryptionSpec>('keyId goes with type Kms only', ({ keyId, type }) => keyId === undefined || type === 'Kms')
]

const HAS_TIME = /[{](yyyy|MM|dd|HH)[}]/
