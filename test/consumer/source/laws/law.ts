import { type PartitionId, partitionId } from '../../../../consumer/partition.ts'
import type { TestSource, TestSourceOptions } from '../harness.ts'
import type { TestCluster } from '../test-cluster.ts'

export type Overrides = Partial<Omit<TestSourceOptions, 'bootstrap'>>

/** What every law gets: a cluster, a name of its own, and sources that are closed when it ends. */
export interface Bench {
  readonly cluster: TestCluster
  readonly topic: string
  readonly open: (overrides?: Overrides) => Promise<TestSource>
}

/** Declares one law: the test of it runs on whichever broker the suite was given. */
export type Law = (title: string, run: (bench: Bench) => Promise<void>) => void

export const numbered = (count: number, prefix = 'v'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

export const firstOf = (topic: string): PartitionId => partitionId({ topic, partition: 0 })

export const valuesOf = (source: TestSource): (string | null)[] => source.records.map(({ value }) => value)
