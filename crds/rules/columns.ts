import { standardName } from '../metadata-columns.ts'
import type { ColumnSpec, MetadataColumnSpec } from '../pipeline.ts'
import { areUnique, rule, type RuleEntry } from './rule.ts'

export const columnsRules: readonly RuleEntry[] = [
  rule<ColumnSpec>(
    'give exactly one of value, header and key',
    self => [self.value, self.header, self.key].filter(from => from !== undefined).length === 1
  ),
  rule<ColumnSpec>(
    'precision is required with type Decimal, and refused with the others',
    self => (self.precision !== undefined) === (self.type === 'Decimal')
  ),
  rule<ColumnSpec>(
    'scale goes with type Decimal only, and may not be larger than precision',
    ({ type, precision, scale }) => scale === undefined || (type === 'Decimal' && scale <= (precision ?? scale))
  ),
  rule<readonly MetadataColumnSpec[]>('metadata columns must have different names, ignoring case', self =>
    areUnique(self.flatMap(column => column.name?.toLowerCase() ?? []))
  ),
  rule<readonly MetadataColumnSpec[]>(
    'a metadata column may not take the standard name of another, nor _mismatch, nor a name that begins with _kafka_, _ingest or _error',
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
    'type Variant goes with the source Value only',
    self => self.type !== 'Variant' || self.source === 'Value'
  ),
  rule<MetadataColumnSpec>(
    'type goes with the sources Key and Value only',
    self => self.type === undefined || self.source === 'Key' || self.source === 'Value'
  )
]

const RESERVED = /^(value|_kafka_.*|_ingest.*|_consumer_id|_schema_version|_mismatch|_error.*)$/
