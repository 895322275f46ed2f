import type { Protocol } from './faults.ts'
import type { Workload } from './workload.ts'

/** Where the chaos runs write to: how a pipeline names it, and how another project counts what has arrived. */
export interface ChaosSink {
  /** The real servers by name; consumers are told the addresses of proxies before them. */
  readonly upstreams: Readonly<Record<string, Upstream>>
  /** `spec.sink` for a consumer that reaches them at `endpoints`. */
  readonly spec: (endpoints: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>
  /** Secrets as a pod mounts them: name, key, value. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Kills one of the servers and starts it again; what it has answered is kept. */
  readonly outage?: () => Promise<void>
  readonly count: (workload: Workload) => Promise<Counted>
  readonly stop: () => Promise<void>
}

export interface Upstream {
  readonly url: string
  readonly protocol: Protocol
}

/** What readers of other projects found in the tables. */
export interface Counted {
  readonly inTable: number
  readonly deadLetters: number
  readonly missing: number
  readonly duplicates: number
  /** The first of whatever is not as it should be, in words. */
  readonly differences: readonly string[]
}
