import { FatalError } from '../lib/errors.ts'
import { partitionId, type Partition, type PartitionId, type TableOffset } from './partition.ts'
import type { Recovered } from './sink.ts'

/** Where a partition goes on, or what must be written into the table before it may be read. */
export type Placement =
  /** The table knows it. */
  | { readonly kind: 'resume'; readonly offset: TableOffset }
  /** The table knows nothing of this topic: `startFrom` decides, for all its partitions at once. */
  | { readonly kind: 'start' }
  /** A partition, or a topic of a pattern, that appeared after the table began: from its log start. */
  | { readonly kind: 'later'; readonly epoch: number }
  /** The topic was deleted and made anew: its offsets begin again, in the next epoch. */
  | { readonly kind: 'recreated'; readonly epoch: number; readonly known: TableOffset | undefined }

/**
 * Decides from the table's own truth alone (law 1). `patternStarted` says that the entry's pattern was placed before, so
 * a topic without keys is a later one.
 */
export function place(partition: Partition, recovered: Recovered, patternStarted: boolean): Placement {
  const topic = recovered.topics.get(partition.topic)
  if (topic === undefined) return patternStarted ? { kind: 'later', epoch: 0 } : { kind: 'start' }
  const known = recovered.offsets.get(partitionId(partition))
  // A broker without topic ids cannot show a re-creation; its offsets are taken as they are.
  const comparable = topic.topicId !== '' && partition.topicId !== ''
  if (comparable && topic.topicId !== partition.topicId) return { kind: 'recreated', epoch: topic.epoch + 1, known }
  if (known === undefined) return { kind: 'later', epoch: topic.epoch }
  return { kind: 'resume', offset: known }
}

/** The key under which a table remembers that an entry's pattern was placed once; `~` is in no topic's name. */
export const patternMarker = (entryName: string): Partition => ({ topic: `~${entryName}`, topicId: '', partition: 0 })

export const patternMarkerId = (entryName: string): PartitionId => partitionId(patternMarker(entryName))

/** What `onDataLoss: Fail` says when the topic is another one than the table was filled from. */
export function recreatedError(partition: Partition, known: TableOffset | undefined): FatalError {
  const held = known === undefined ? '' : ` The table holds ${partitionId(partition)} up to offset ${known.nextOffset}.`
  return new FatalError(
    'TopicRecreated',
    `Topic ${partition.topic} was deleted and created anew.${held} Records that were not read are gone. ` +
      'To go on with the new topic in the same table set spec.source.onDataLoss: Continue.'
  )
}
