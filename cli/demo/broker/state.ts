import type { Groups } from './groups/groups.ts'
import type { Topics } from './topics.ts'
import type { Transactions } from './transactions.ts'

/** What the handlers of the APIs share: the broker is one node, leader and coordinator of everything. */
export interface Broker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly clusterId: string
  readonly defaultPartitions: number
  readonly autoCreateTopics: boolean
  /** User names and passwords for SASL PLAIN; nobody need authenticate when there are none. */
  readonly users: ReadonlyMap<string, string>
  readonly topics: Topics
  readonly groups: Groups
  readonly transactions: Transactions
  now(): number
}
