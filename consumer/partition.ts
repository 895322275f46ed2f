/** One partition of one incarnation of a topic. With its epoch it is the key under which a table keeps an offset. */
export interface Partition {
  readonly topic: string
  /** The broker's topic id (a UUID); empty when the broker has none, and re-creation is then seen by offsets only. */
  readonly topicId: string
  readonly partition: number
}

/** Identifies a partition within one process and incarnation: `orders-3`. */
export type PartitionId = `${string}-${number}`

export const partitionId = ({ topic, partition }: { topic: string; partition: number }): PartitionId =>
  `${topic}-${partition}`

/** What a table holds for a partition: all records below `nextOffset`, which is the next to read. */
export interface TableOffset {
  readonly topicId: string
  /** Counts the incarnations of the topic that this table has seen, from 0. */
  readonly epoch: number
  readonly nextOffset: number
}
