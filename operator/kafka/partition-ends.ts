import { LAST_STABLE, LOG_START, type EndOffsets, type ListedOffset, type Placed } from './end-offsets.ts'
import type { TopicDirectory } from './topic-directory.ts'

/** Offsets by `topic/partition`, and the error codes of partitions that have none. */
export interface Listed {
  readonly found: ReadonlyMap<string, number>
  readonly codes: ReadonlyMap<string, number>
}

type TimeOf = (partition: Placed) => number

export const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`

/** Asks for offsets of partitions wherever their leaders are. */
export class PartitionEnds {
  readonly #directory: Pick<TopicDirectory, 'look' | 'markStale'>
  readonly #ends: Pick<EndOffsets, 'of'>

  constructor(directory: Pick<TopicDirectory, 'look' | 'markStale'>, ends: Pick<EndOffsets, 'of'>) {
    this.#directory = directory
    this.#ends = ends
  }

  /** Every partition of these topics, those that there are. */
  async place(topics: readonly string[]): Promise<readonly Placed[]> {
    const { leaders } = await this.#directory.look({ names: topics, hasPattern: false })
    return topics.flatMap(topic =>
      (leaders.get(topic) ?? []).map((leader, partition) => ({ topic, partition, leader }))
    )
  }

  /** Log starts and last stable offsets; those of partitions that have just moved are asked for once more. */
  async bounds(partitions: readonly Placed[]): Promise<{ readonly starts: Listed; readonly ends: Listed }> {
    const [starts, ends] = await this.#list(partitions, [LOG_START, LAST_STABLE])
    const missing = partitions.filter(partition => !ends.found.has(keyOf(partition)))
    if (missing.length === 0) return { starts, ends }
    this.#directory.markStale()
    const leaders = new Map(missing.map(partition => [keyOf(partition), partition.leader]))
    const now = await this.place([...new Set(missing.map(({ topic }) => topic))])
    const moved = now.filter(partition => (leaders.get(keyOf(partition)) ?? partition.leader) !== partition.leader)
    if (moved.length === 0) return { starts, ends }
    const [movedStarts, movedEnds] = await this.#list(moved, [LOG_START, LAST_STABLE])
    return { starts: merged(starts, movedStarts), ends: merged(ends, movedEnds) }
  }

  /** The first offset at or after a time, in ms since the epoch; -1 when there is none from then on. */
  async at(partitions: readonly Placed[], timeOf: TimeOf): Promise<Listed> {
    const [listed] = await this.#list(partitions, [timeOf])
    return listed
  }

  /** Rejects when no leader of all of them answers; one of several that is silent makes its own partitions unknown. */
  async #list<Times extends readonly (number | TimeOf)[]>(
    partitions: readonly Placed[],
    times: readonly [...Times]
  ): Promise<{ [Index in keyof Times]: Listed }> {
    const byLeader = Map.groupBy(partitions, ({ leader }) => leader)
    byLeader.delete(-1)
    const lists = times.map(() => ({ found: new Map<string, number>(), codes: new Map<string, number>() }))
    const ask = async ([leader, led]: readonly [number, readonly Placed[]]) => {
      const wanted = times.flatMap(time =>
        led.map(placed => ({ ...placed, timestamp: typeof time === 'number' ? time : time(placed) }))
      )
      const answer = await this.#ends.of(leader, wanted)
      for (const [index, listed] of answer.entries()) {
        const [placed, list] = [wanted[index], lists[Math.floor(index / led.length)]]
        if (placed !== undefined && list !== undefined) put(list, keyOf(placed), listed)
      }
    }
    const outcomes = await Promise.allSettled([...byLeader].map(ask))
    const failed = outcomes.filter(({ status }) => status === 'rejected')
    const [first] = failed
    if (first?.status === 'rejected' && failed.length === outcomes.length) throw first.reason
    if (failed.length > 0) this.#directory.markStale()
    return lists as { [Index in keyof Times]: Listed }
  }
}

function put(
  { found, codes }: { found: Map<string, number>; codes: Map<string, number> },
  key: string,
  listed: ListedOffset | undefined
): void {
  if (listed === undefined) return
  if (listed.errorCode === 0) found.set(key, listed.offset)
  else codes.set(key, listed.errorCode)
}

function merged(old: Listed, { found, codes }: Listed): Listed {
  const still = [...old.codes].filter(([key]) => !found.has(key))
  return { found: new Map([...old.found, ...found]), codes: new Map([...still, ...codes]) }
}
