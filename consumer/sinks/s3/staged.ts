import { invariant } from '../../../lib/errors.ts'
import type { CommitAuthor, Staged } from '../../sink.ts'
import { formatKey, mergeRanges, parseKey, type OffsetKey } from '../offset-key.ts'
import type { CommitObject, CommittedObject } from './commit-object.ts'
import { objectName } from './names.ts'

/** What `Staged.files` is. */
export interface StagedObjects {
  readonly objects: readonly StagedObject[]
}

/** An object that was uploaded; nobody has it in view yet. */
export interface StagedObject {
  /** As `formatKey` has it. */
  readonly key: string
  /** Whose folder it is for: the table's own, or its dead-letter table's. */
  readonly table: string
  readonly isDeadLetters: boolean
  /** Where it lies, relative to the sink's location. */
  readonly path: string
  /** Layout Glob: where it goes when it is committed; its name is made then. */
  readonly goal: { readonly folder: string; readonly suffix: string } | undefined
  readonly rows: number
  readonly bytes: number
}

const objectsOf = ({ files }: Staged): readonly StagedObject[] => (files as StagedObjects).objects

/** The commits, one per key, of staged batches; keys that do not move have none. */
export function commitsOf(staged: readonly Staged[], author: CommitAuthor, nowMs: number): readonly CommitObject[] {
  const objects = Map.groupBy(staged.flatMap(objectsOf), ({ key }) => key)
  return [...mergeRanges(staged.flatMap(({ ranges }) => ranges))].flatMap(([text, { expected, next }]) => {
    const key = parseKey(text)
    invariant(key !== undefined, `${text} is the key of an offset`)
    const ours = objects.get(text) ?? []
    if (next === expected) {
      invariant(ours.length === 0, `${text} moves on when it has rows`)
      return []
    }
    const own = staged.filter(({ ranges }) => ranges.some(range => formatKey(range) === text))
    return {
      key,
      expected,
      next,
      commitIds: own.map(({ commitId }) => commitId),
      committedMs: nowMs,
      author,
      objects: committed(
        ours.filter(({ isDeadLetters }) => !isDeadLetters),
        key,
        expected
      ).map(({ object }) => object),
      deadLetters: committed(
        ours.filter(({ isDeadLetters }) => isDeadLetters),
        key,
        expected
      ).map(({ object, table }) => ({ table, ...object }))
    }
  })
}

/** Names those objects that get their own with the commit: by their number among its objects, if there are several. */
function committed(objects: readonly StagedObject[], key: OffsetKey, expected: number | undefined) {
  return objects.map(({ path, goal, rows, bytes, table }, index): { object: CommittedObject; table: string } => {
    if (goal === undefined) return { object: { path, rows, bytes }, table }
    const number = index === 0 ? '' : `+${index}`
    const final = `${goal.folder}${objectName(key, expected)}${number}${goal.suffix}`
    return { object: { path: final, rows, bytes, staged: path }, table }
  })
}
