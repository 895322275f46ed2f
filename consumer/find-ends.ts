import type { Slot } from './slot.ts'
import type { Source } from './source.ts'

/** Finds out where slots of entries that end do so. Throws RetryableError. */
export async function findEnds(slots: readonly Slot[], source: Pick<Source, 'resolveEnds'>): Promise<void> {
  const ending = slots.filter(({ entry }) => entry.endAt !== undefined)
  for (const [topic, mine] of Map.groupBy(ending, ({ partition }) => partition.topic)) {
    const endAt = mine[0]?.entry.endAt
    if (endAt === undefined) continue
    const ends = await source.resolveEnds(topic, endAt)
    for (const slot of mine) slot.end = ends.get(slot.partition.partition) ?? slot.end
  }
}
