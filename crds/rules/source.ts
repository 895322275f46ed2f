import type { SecuritySpec, SourceSpec, TopicStartFrom } from '../pipeline.ts'
import { rule, type RuleEntry } from './rule.ts'

export const sourceRules: readonly RuleEntry[] = [
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
  )
]
