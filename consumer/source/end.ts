import type { EndAt } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { End } from '../source.ts'
import type { Cluster } from './cluster.ts'
import { LATEST, type TopicOffsets } from './topic-offsets.ts'

/**
 * Where `endAt` ends, for every partition of `topic`. Of a time for which there is no record yet, it is known only that all
 * below the last stable offset comes before it; that is asked for first, so that no record comes in between. Once the time
 * has passed it is the end. RetryableError `TopicMissing` when there is no such topic.
 */
export async function resolveEnds(
  cluster: Pick<Cluster, 'describe'>,
  offsets: Pick<TopicOffsets, 'list'>,
  clock: Clock,
  topic: string,
  endAt: EndAt
): Promise<ReadonlyMap<number, End>> {
  const described = (await cluster.describe([topic])).get(topic)
  if (described === undefined) throw new RetryableError('TopicMissing', `topic ${topic} does not exist`)
  const partitions = described.partitions.map((_, partition) => partition)
  if (endAt.position === 'Offsets')
    return new Map(partitions.map(each => [each, { offset: endAt.offsets.get(each) ?? 0, isFinal: true }]))
  const wanted = partitions.filter(each => endAt.partitions?.includes(each) ?? true)
  const hasPassed = clock.now() >= endAt.timestampMs
  const stable = await offsets.list(topic, wanted, LATEST)
  const found = await offsets.list(topic, wanted, endAt.timestampMs)
  const ends = new Map<number, End>(partitions.map(each => [each, { offset: 0, isFinal: true }]))
  for (const each of wanted) {
    const offset = found.get(each)
    const last = stable.get(each)
    if (offset === undefined && last === undefined)
      throw new RetryableError('SourceTrouble', `partition ${each} of topic ${topic} has no end now`)
    ends.set(each, { offset: offset ?? last ?? 0, isFinal: offset !== undefined || hasPassed })
  }
  return ends
}
