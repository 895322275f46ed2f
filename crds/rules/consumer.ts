import { parseDurationMs } from '../../lib/duration.ts'
import { parseQuantity } from '../../lib/quantity.ts'
import type { ResourceList, ResourcesSpec } from '../pipeline.ts'
import { isBetween, rule, type RuleEntry } from './rule.ts'

export const consumerRules: readonly RuleEntry[] = [
  rule<string>('readyTimeout must be 0s or lie between 10s and 24h', self => {
    const ms = parseDurationMs(self)
    return !self.includes('d') && (ms === 0 || isBetween(ms, 10_000, 86_400_000))
  }),
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
]

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

function amount(list: ResourceList, name: keyof ResourceList, absent: number): number {
  const quantity = list[name]
  return quantity === undefined ? absent : (parseQuantity(String(quantity)) ?? absent)
}
