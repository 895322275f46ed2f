import { FatalError } from '../lib/errors.ts'
import type { CommitAuthor } from './sink.ts'

/**
 * Two live pipelines on one topic and table fence each other for ever; the younger stops. Only a commit that fenced us
 * while we ran counts: a renamed or moved pipeline finds the old one's offsets when it starts and continues.
 */
export function ownershipError(
  table: string,
  ours: CommitAuthor,
  by: CommitAuthor | undefined
): FatalError | undefined {
  if (by === undefined || by.pipeline === ours.pipeline || isOlder(ours, by)) return undefined
  return new FatalError(
    'TableOwnedByOther',
    `Table ${table} is written from the same topics by the older pipeline ${by.pipeline}. ` +
      'Give this pipeline another table in spec.topics[].table, or delete or suspend the other one.'
  )
}

function isOlder(one: CommitAuthor, other: CommitAuthor): boolean {
  const [oneAge, otherAge] = [Date.parse(one.createdAt ?? ''), Date.parse(other.createdAt ?? '')]
  const [oneMs, otherMs] = [Number.isNaN(oneAge) ? Infinity : oneAge, Number.isNaN(otherAge) ? Infinity : otherAge]
  return oneMs === otherMs ? one.pipeline < other.pipeline : oneMs < otherMs
}
