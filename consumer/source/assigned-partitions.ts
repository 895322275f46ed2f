import { type Partition, type PartitionId, partitionId } from '../partition.ts'
import type { TopicPartition } from './assigner.ts'
import { Cursor } from './cursor.ts'

/** The partitions this process holds, and what of their coming and going was not told yet. */
export class AssignedPartitions {
  readonly cursors = new Map<PartitionId, Cursor>()
  #assigned: Partition[] = []
  #revoked: Partition[] = []

  get hasChanged(): boolean {
    return this.#assigned.length + this.#revoked.length > 0
  }

  /**
   * Takes over what the group gives; what is kept is not touched. A partition whose topic is not known here yet
   * (`topicIdOf` gives undefined) waits for the next call: without its id a topic made anew would pass for the old one.
   */
  update(partitions: readonly TopicPartition[], topicIdOf: (topic: string) => string | undefined): void {
    const held = new Set(partitions.map(partitionId))
    for (const [id, cursor] of this.cursors) {
      if (held.has(id)) continue
      cursor.drop()
      this.cursors.delete(id)
      const untold = this.#assigned.findIndex(partition => partitionId(partition) === id)
      if (untold >= 0) this.#assigned.splice(untold, 1)
      else this.#revoked.push(cursor.partition)
    }
    for (const { topic, partition } of partitions) {
      const topicId = topicIdOf(topic)
      if (topicId === undefined || this.cursors.has(partitionId({ topic, partition }))) continue
      const assigned: Partition = { topic, topicId, partition }
      const cursor = new Cursor(assigned)
      this.cursors.set(cursor.id, cursor)
      this.#assigned.push(assigned)
    }
  }

  /** What has changed since it was asked last; the revoked come first. */
  takeChanges(): { readonly assigned: readonly Partition[]; readonly revoked: readonly Partition[] } {
    const changes = { assigned: this.#assigned, revoked: this.#revoked }
    this.#assigned = []
    this.#revoked = []
    return changes
  }
}
