import { atOnce } from '../../../lib/at-once.ts'
import type { Log } from '../../../lib/log.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { rethrowUnlessRetryable } from '../attempts.ts'
import type { CommitObject, CommittedObject } from './commit-object.ts'

/** Copies that are under way at once. */
const AT_ONCE = 8

/**
 * Puts the objects of commits that are made where readers look for them (layout Glob). The name is the commit's, so that it may be
 * done again, also by others at the same time, or late. A staged object goes only when its copy is there: one that is gone has been
 * published. Throws RetryableError when some may not be out yet.
 */
export async function publish(store: ObjectStore, commits: readonly CommitObject[]): Promise<void> {
  await publishObjects(store, stagedIn(commits))
}

/** The same, where it was most likely done: it asks before it copies, and tells of what is nowhere. */
export async function publishAgain(store: ObjectStore, commits: readonly CommitObject[], log: Log): Promise<void> {
  const objects = stagedIn(commits)
  const waits = await atOnce(AT_ONCE, objects, async ({ staged, path, rows }) => {
    if ((await store.size(staged)) !== undefined) return true
    if ((await store.size(path)) === undefined)
      log.warn('an object of a commit is not there: somebody has taken it away', { path, rows })
    return false
  })
  const waiting = objects.filter((_each, index) => waits[index])
  if (waiting.length > 0) log.info('objects of a commit that was cut off are put in place', { objects: waiting.length })
  await publishObjects(store, waiting)
}

interface StagedObject extends CommittedObject {
  readonly staged: string
}

async function publishObjects(store: ObjectStore, objects: readonly StagedObject[]): Promise<void> {
  await atOnce(AT_ONCE, objects, async ({ staged, path }) => {
    if (!(await store.copy(staged, path))) return
    // What is left costs what it weighs, and nothing else: who recovers next copies it again.
    await store.delete(staged).catch(rethrowUnlessRetryable)
  })
}

const stagedIn = (commits: readonly CommitObject[]): readonly StagedObject[] =>
  commits.flatMap(({ objects, deadLetters }) =>
    [...objects, ...deadLetters].flatMap(({ path, rows, bytes, staged }) =>
      staged === undefined ? [] : [{ path, rows, bytes, staged }]
    )
  )
