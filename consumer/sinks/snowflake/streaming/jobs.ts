import type { PartitionId } from '../../../partition.ts'
import type { Staged } from '../../../sink.ts'
import { formatKey, mergeRanges, parseKey, type OffsetKey } from '../../offset-key.ts'
import { invariant } from '../../../../lib/errors.ts'
import type { Letter } from './letters.ts'
import type { Wanted } from './position.ts'
import type { RowsRequest } from './requests.ts'
import { bodyOf, partsOf } from './staged.ts'

/** All that a commit has for one key. */
export interface Job {
  readonly key: OffsetKey
  readonly id: PartitionId
  readonly wanted: Wanted
  readonly commitId: string
  readonly rows: readonly RowsRequest[]
  readonly letters: readonly Letter[]
  /** Members of the rows. */
  readonly columns: ReadonlySet<string>
}

/** By formatted key. What several staged batches have for one key follows each other. */
export function jobsOf(staged: readonly Staged[]): ReadonlyMap<string, Job> {
  const parts = staged.flatMap(({ ranges, files, commitId }) =>
    partsOf(ranges, files).map(([range, part]) => ({ key: formatKey(range), range, part, commitId }))
  )
  const byKey = Map.groupBy(parts, ({ key }) => key)
  const merged = mergeRanges(staged.flatMap(({ ranges }) => ranges))
  return new Map(
    [...merged].map(([formatted, { id, expected, next }]) => {
      const own = byKey.get(formatted) ?? []
      const key = parseKey(formatted)
      invariant(key !== undefined, `${formatted} is a key`)
      const requests = own.flatMap(({ part }) => part.rows.map(request => ({ ...request, body: bodyOf(request) })))
      const job: Job = {
        key,
        id,
        wanted: { expected, next },
        commitId: own.at(-1)?.commitId ?? '',
        // What comes after the last rows of all has no rows of its own: it is in with these.
        rows: requests.map((request, index) => (index === requests.length - 1 ? { ...request, next } : request)),
        letters: own.flatMap(({ part }) => part.letters),
        columns: new Set(own.flatMap(({ part }) => part.columns))
      }
      return [formatted, job]
    })
  )
}

/** Beginnings: nothing but an offset, where there was none. */
export const isPin = ({ wanted, rows, letters }: Job): boolean =>
  wanted.expected === undefined && rows.length === 0 && letters.length === 0
