import { createHash } from 'node:crypto'
import type { SettledPipeline } from '../crds/settled.ts'

/** Static members of a group may have names of 249 characters; a number comes behind it. */
const MAX_LENGTH = 200

/**
 * What consumers of a run are called in their group. A run of some entries has names of its own: under those of another run
 * the two would throw each other out. They share the group all the same, which deals each partition to one that reads it.
 */
export function memberName({ name }: SettledPipeline, entries: readonly string[]): string {
  if (entries.length === 0) return name
  const chosen = [...new Set(entries)].toSorted().join('.')
  const hash = createHash('sha256').update(chosen).digest('hex').slice(0, 16)
  return name.length + chosen.length < MAX_LENGTH ? `${name}.${chosen}` : `${name}.${hash}`
}
