import { atOnce } from '../../../lib/at-once.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { HistoryEntry, HistoryRange } from '../history.ts'
import { rowsOf, type CommitObject } from './commit-object.ts'
import { partitionFolders, readCommit, topicFolders } from './commits.ts'

const AT_ONCE = 16
/** The clocks of two owners of a partition may differ by so much: a commit further back may still be in the range. */
const SKEW_MS = 60_000

/**
 * The commits of a table in the range, newest first: it reads back from the end, and no further than the range. What one
 * commit took from one topic is one entry. Held at a time: one commit object per partition. A table that is not there has
 * none. `store` is rooted at the sink's location.
 */
export async function* readS3History(
  store: ObjectStore,
  table: string,
  { sinceMs, untilMs }: HistoryRange
): AsyncGenerator<HistoryEntry> {
  const topics = await atOnce(
    AT_ONCE,
    await topicFolders(store, table),
    async folder => await partitionFolders(store, folder)
  )
  const chains = topics.flat().map(folder => backwards(store, table, folder, sinceMs - SKEW_MS))
  let entry: (HistoryEntry & { records: number; deadLetters: number }) | undefined
  for await (const commit of newestFirst(chains)) {
    const { key, committedMs, commitIds, author, objects, deadLetters } = commit
    if (committedMs > untilMs || committedMs < sinceMs) continue
    const [version = ''] = commitIds
    if (entry === undefined || entry.version !== version || entry.topic !== key.topic) {
      if (entry !== undefined) yield entry
      entry = { committedMs, version, pipeline: author.pipeline, topic: key.topic, records: 0, deadLetters: 0 }
    }
    entry = {
      ...entry,
      records: entry.records + rowsOf(objects),
      deadLetters: entry.deadLetters + rowsOf(deadLetters)
    }
  }
  if (entry !== undefined) yield entry
}

async function* backwards(store: ObjectStore, table: string, folder: string, endMs: number) {
  for await (const { path } of store.list(folder)) {
    const commit = await readCommit(store, table, path)
    // Since it was listed the table was dropped.
    if (commit === undefined) return
    if (commit.committedMs < endMs) return
    yield commit
  }
}

/** Merges chains; those of one commit come one after another, topic by topic. */
async function* newestFirst(chains: readonly AsyncGenerator<CommitObject>[]): AsyncGenerator<CommitObject> {
  const step = async (chain: AsyncGenerator<CommitObject>) => ({ chain, head: await chain.next() })
  let heads = await atOnce(AT_ONCE, chains, step)
  for (;;) {
    heads = heads.filter(({ head }) => head.done !== true)
    const first = heads.toSorted((a, b) => order(a.head.value, b.head.value))[0]
    if (first?.head.value === undefined) return
    yield first.head.value
    first.head = await first.chain.next()
  }
}

function order(a: CommitObject | undefined, b: CommitObject | undefined): number {
  if (a === undefined || b === undefined) return 0
  return b.committedMs - a.committedMs || compare(a.commitIds[0], b.commitIds[0]) || compare(a.key.topic, b.key.topic)
}

const compare = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0)
