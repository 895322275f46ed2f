/** A member of the group as its leader sees it. */
export interface AssignableMember {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  /** What it held before, and in which generation: of two claims to a partition the younger counts. */
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

interface Load {
  readonly member: AssignableMember
  readonly partitions: Map<string, TopicPartition>
  readonly perTopic: Map<string, number>
}

/**
 * Deals partitions to members. Each keeps what it has as far as balance allows; counts differ by at most one between
 * members that read the same topics, and no move between any two members would bring their counts nearer. Partitions
 * without a reader stay out. Depends on its arguments alone, not on their order.
 */
export function assign(
  members: readonly AssignableMember[],
  partitionCounts: ReadonlyMap<string, number>
): ReadonlyMap<string, readonly TopicPartition[]> {
  const loads = [...members]
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member): Load => ({ member, partitions: new Map(), perTopic: new Map() }))
  const free = keepOwned(loads, partitionCounts)
  // Topics with few readers first: the others can still even out what those make uneven.
  const readers = new Map([...partitionCounts.keys()].map(topic => [topic, loads.filter(load => reads(load, topic))]))
  free.sort((a, b) => (readers.get(a.topic)?.length ?? 0) - (readers.get(b.topic)?.length ?? 0))
  for (const partition of free) {
    const candidates = readers.get(partition.topic) ?? []
    const lightest = candidates.reduce<Load | undefined>((best, load) => better(best, load, partition.topic), undefined)
    if (lightest !== undefined) give(lightest, partition)
  }
  balance(loads)
  return new Map(loads.map(({ member, partitions }) => [member.memberId, [...partitions.values()].sort(inOrder)]))
}

const reads = ({ member }: Load, topic: string): boolean => member.topics.has(topic)
const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
const topicCount = (load: Load, topic: string): number => load.perTopic.get(topic) ?? 0

function inOrder(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

/** Gives every partition to its youngest valid claim; returns the partitions nobody holds. */
function keepOwned(loads: readonly Load[], partitionCounts: ReadonlyMap<string, number>): TopicPartition[] {
  const claims = new Map<string, Load>()
  for (const load of loads) {
    for (const claimed of load.member.owned) {
      const isValid = reads(load, claimed.topic) && claimed.partition < (partitionCounts.get(claimed.topic) ?? 0)
      const rival = claims.get(keyOf(claimed))
      if (isValid && (rival === undefined || rival.member.generation < load.member.generation)) {
        claims.set(keyOf(claimed), load)
      }
    }
  }
  const free: TopicPartition[] = []
  for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (let partition = 0; partition < count; partition++) {
      const owner = claims.get(keyOf({ topic, partition }))
      if (owner === undefined) free.push({ topic, partition })
      else give(owner, { topic, partition })
    }
  }
  return free
}

/** The lighter of two; among equals the one with fewer partitions of this topic, so that a busy topic is spread. */
function better(best: Load | undefined, load: Load, topic: string): Load {
  if (best === undefined || load.partitions.size < best.partitions.size) return load
  const isEqual = load.partitions.size === best.partitions.size
  return isEqual && topicCount(load, topic) < topicCount(best, topic) ? load : best
}

function give(load: Load, partition: TopicPartition): void {
  load.partitions.set(keyOf(partition), partition)
  load.perTopic.set(partition.topic, topicCount(load, partition.topic) + 1)
}

function take(load: Load, partition: TopicPartition): void {
  load.partitions.delete(keyOf(partition))
  load.perTopic.set(partition.topic, topicCount(load, partition.topic) - 1)
}

/** Moves partitions from heavier to lighter members until no move helps; each move lowers the sum of squares. */
function balance(loads: readonly Load[]): void {
  for (let hasMoved = true; hasMoved;) {
    hasMoved = false
    const byLoad = [...loads].sort((a, b) => b.partitions.size - a.partitions.size)
    for (const giver of byLoad) {
      for (const taker of [...byLoad].reverse()) {
        if (giver.partitions.size - taker.partitions.size < 2) break
        const movable = mostCrowded(giver, taker)
        if (movable === undefined) continue
        take(giver, movable)
        give(taker, movable)
        hasMoved = true
        break
      }
      if (hasMoved) break
    }
  }
}

/** The partition of `giver` that `taker` may read whose topic the giver has the most of, compared with the taker. */
function mostCrowded(giver: Load, taker: Load): TopicPartition | undefined {
  let best: TopicPartition | undefined
  let bestExcess = -Infinity
  for (const partition of giver.partitions.values()) {
    if (!reads(taker, partition.topic)) continue
    const excess = topicCount(giver, partition.topic) - topicCount(taker, partition.topic)
    if (excess >= bestExcess) [best, bestExcess] = [partition, excess]
  }
  return best
}
