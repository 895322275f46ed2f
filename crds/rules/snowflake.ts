import { parseDurationMs } from '../../lib/duration.ts'
import type { SnowflakeSpec } from '../pipeline.ts'
import { areUnique, isBetween, rule, type RuleEntry } from './rule.ts'

export const snowflakeRules: readonly RuleEntry[] = [
  rule<SnowflakeSpec>(
    'credentialsSecretRef is required, with the keys that authentication needs; the workload identities Aws, Azure and Gcp need none and refuse it',
    ({ authentication, workloadIdentity, credentialsSecretRef }) => {
      if (authentication !== 'WorkloadIdentity') return credentialsSecretRef !== undefined
      if (workloadIdentity === undefined) return true
      return (credentialsSecretRef !== undefined) === (workloadIdentity.provider === 'Oidc')
    }
  ),
  rule<SnowflakeSpec>(
    'tokenEndpoint and scope go with authentication OAuth only, scope with tokenEndpoint only',
    ({ authentication, tokenEndpoint, scope }) =>
      tokenEndpoint === undefined ? scope === undefined : authentication === 'OAuth'
  ),
  rule<SnowflakeSpec>(
    'workloadIdentity is required with authentication WorkloadIdentity, and refused with the others',
    ({ authentication, workloadIdentity }) =>
      (workloadIdentity !== undefined) === (authentication === 'WorkloadIdentity')
  ),
  rule<SnowflakeSpec>(
    'mode Streaming goes with authentication KeyPair and OAuth only: Snowpipe Streaming takes no other',
    ({ mode, authentication }) => mode !== 'Streaming' || ['KeyPair', 'OAuth'].includes(authentication)
  ),
  rule<SnowflakeSpec>(
    'flushWhenWarehouseIdle: false goes with the modes Transaction and Merge only: Streaming needs no warehouse for its commits',
    ({ mode, flushWhenWarehouseIdle }) => mode !== 'Streaming' || flushWhenWarehouseIdle
  ),
  rule<SnowflakeSpec>(
    'maxIdleDelay goes with flushWhenWarehouseIdle: false only: otherwise no commit waits for the warehouse',
    ({ maxIdleDelay, flushWhenWarehouseIdle }) => maxIdleDelay === undefined || !flushWhenWarehouseIdle
  ),
  rule<string>('account is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('database is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('schema is immutable: create another pipeline to write elsewhere', (self, old) => self === old),
  rule<string>('url must begin with https://; http:// is for a server on the same machine only', self =>
    /^(https:\/\/|http:\/\/(localhost|127([.][0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?$)/.test(self)
  ),
  rule<string>(
    'mode cannot be changed to or from Streaming: create another pipeline that writes to other tables',
    (self, old) => (self === 'Streaming') === (old === 'Streaming')
  ),
  rule<readonly string[]>('a column may be named once, ignoring case', self =>
    areUnique(self.map(name => name.toLowerCase()))
  ),
  rule<string>(
    'maxIdleDelay must lie between 1s and 24h',
    self => !self.includes('d') && isBetween(parseDurationMs(self), 1000, 86_400_000)
  )
]
