import { parseDurationMs } from '../../lib/duration.ts'
import { parseQuantity } from '../../lib/quantity.ts'
import type { QualitySpec, TopicEndAt, TopicSpec } from '../pipeline.ts'
import { schemaMode } from '../schema-mode.ts'
import { areUnique, isBetween, liftedNames, qualityNames, rule, type RuleEntry } from './rule.ts'

export const topicRules: readonly RuleEntry[] = [
  rule<TopicSpec>('give topic or pattern, not both', self => self.topic === undefined || self.pattern === undefined),
  rule<TopicSpec>(
    'pattern must be a valid regular expression: check its brackets and ranges',
    self => self.pattern === undefined || isRegularExpression(self.pattern)
  ),
  rule<TopicSpec>(
    'columns lifted from the value need a format that can be read: set format to Json',
    self => self.format !== 'Raw' || !liftsValues(self)
  ),
  rule<TopicSpec>(
    'with formats Avro, Protobuf and JsonSchema and schema.mode Inferred each field of the value is a column already: lift only from headers and the key, or set schema.mode to Payload with JsonSchema',
    self => !['Registered', 'Inferred'].includes(schemaMode(self)) || !liftsValues(self)
  ),
  rule<TopicSpec>(
    'schema.mode goes with format Json only, and Payload with JsonSchema besides',
    ({ format, schema }) =>
      schema?.mode === undefined || format === 'Json' || (format === 'JsonSchema' && schema.mode === 'Payload')
  ),
  rule<TopicSpec>(
    'schema.onIncompatible goes with formats Avro, Protobuf and JsonSchema and schema.mode Inferred only',
    self => self.schema?.onIncompatible === undefined || ['Registered', 'Inferred'].includes(schemaMode(self))
  ),
  rule<TopicSpec>(
    'schema.onMismatch goes with schema.mode Declared only',
    self => self.schema?.onMismatch === undefined || self.schema.mode === 'Declared'
  ),
  rule<TopicSpec>(
    'schema.mode Declared needs columns that are lifted from the value: nothing else of it is kept',
    self => self.schema?.mode !== 'Declared' || liftsValues(self)
  ),
  rule<TopicSpec>('names of quality rules must be unique, ignoring case, and none may be that of scoreColumn', self =>
    areUnique(qualityNames(self))
  ),
  rule<TopicSpec>('a quality column may not have the name of another column, ignoring case', self => {
    const columns = liftedNames(self)
    return !qualityNames(self).some(name => columns.includes(name))
  }),
  rule<QualitySpec>('at least one rule needs a weight above 0: without one there is no score', self =>
    self.rules.some(({ weight }) => weight > 0)
  ),
  rule<TopicSpec>('column names must be unique, ignoring case', self => areUnique(liftedNames(self))),
  rule<TopicSpec>(
    'position Offsets needs one topic: replace pattern by topic',
    self => self.startFrom?.position !== 'Offsets' || self.pattern === undefined
  ),
  rule<TopicSpec>(
    'endAt with position Offsets needs one topic: replace pattern by topic',
    self => self.endAt?.position !== 'Offsets' || self.pattern === undefined
  ),
  rule<TopicEndAt>(
    'an end needs timestamp with position Timestamp, and refuses it with Offsets',
    self => (self.timestamp !== undefined) === (self.position === 'Timestamp')
  ),
  rule<TopicEndAt>(
    'an end needs offsets with position Offsets, and refuses them with Timestamp',
    self => (self.offsets !== undefined) === (self.position === 'Offsets')
  ),
  rule<TopicEndAt>(
    'partitions goes with an end of position Timestamp only: offsets names its partitions',
    self => self.partitions === undefined || self.position === 'Timestamp'
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
  )
]

const liftsValues = ({ columns }: TopicSpec): boolean => columns.some(column => column.value !== undefined)

function isRegularExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== ''
  } catch {
    return false
  }
}
