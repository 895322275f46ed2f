import type { PipelineLag } from '../operator/source/lag.ts'
import { recordsOf, type PartitionOffsets } from '../operator/source/partition-offsets.ts'

/** What Kafka tells of a pipeline at one moment: the operator's own figures, and what they were made from. */
export interface LagSample {
  readonly lag: PipelineLag
  readonly offsets: readonly PartitionOffsets[]
}

export const partitionKey = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`

/** Records of one partition that are not in its table; undefined when unknown, which is never 0. */
export const lagOf = ({ committed, logStart, lastStable }: PartitionOffsets): number | undefined =>
  recordsOf(committed, logStart, lastStable)
