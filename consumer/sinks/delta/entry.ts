import type { Field } from '../../columns/schema.ts'
import type { CommitAuthor, Staged } from '../../sink.ts'
import { mergeRanges } from '../offset-key.ts'
import {
  ENGINE,
  addOf,
  type Action,
  type BronzeCommit,
  type DataFile,
  type DeadLetterFile,
  type Txn
} from './actions.ts'
import { markerAppId, offsetAppId } from './offsets.ts'

/** What `stage` leaves for `commit`: plain JSON. */
export interface StagedFiles {
  /** One per schema. */
  readonly rows: readonly DataFile[]
  /** The fields of each schema beside the pipeline's own. */
  readonly columns: readonly (readonly Field[])[]
  readonly deadLetters: DeadLetterFile | undefined
}

const filesOf = (staged: Staged): StagedFiles => staged.files as StagedFiles

/** The entry of a commit to the main table at `version`: offsets, files, and the dead letters it decides. */
export function mainEntry(
  staged: readonly Staged[],
  { tableId, version }: { readonly tableId: string; readonly version: number },
  author: CommitAuthor,
  nowMs: number
): readonly Action[] {
  const ranges = staged.flatMap(each => each.ranges)
  const deadLetters = deadLettersOf(staged)
  const commit: BronzeCommit = { ...author, commitIds: commitIdsOf(staged), ranges, deadLetters }
  const adds = staged.flatMap(each => filesOf(each).rows).map(addOf)
  const offsets = [...mergeRanges(ranges)].map(([key, { next }]) => ({ appId: offsetAppId(key), version: next }))
  const markers = keysOf(deadLetters).map(key => ({ appId: markerAppId(tableId, key), version }))
  return [
    commitInfo(commit, nowMs, adds.length),
    ...[...offsets, ...markers].map(txn => ({ txn: { ...txn, lastUpdated: nowMs } })),
    ...adds.map(add => ({ add }))
  ]
}

/** The entry in the dead-letter table that publishes what a commit of the main table decided, under the same markers. */
export function deadLetterEntry(
  commitIds: readonly string[],
  markers: readonly Txn[],
  files: readonly DeadLetterFile[],
  author: CommitAuthor,
  nowMs: number
): readonly Action[] {
  const commit: BronzeCommit = { ...author, commitIds, ranges: [], deadLetters: [] }
  return [
    commitInfo(commit, nowMs, files.length),
    ...markers.map(txn => ({ txn: { ...txn, lastUpdated: nowMs } })),
    ...files.map(({ file }) => ({ add: addOf(file) }))
  ]
}

export const commitIdsOf = (staged: readonly Staged[]): readonly string[] => staged.map(({ commitId }) => commitId)

export const columnsOf = (staged: readonly Staged[]): readonly (readonly Field[])[] =>
  staged.flatMap(each => filesOf(each).columns)

export const deadLettersOf = (staged: readonly Staged[]): readonly DeadLetterFile[] =>
  staged.flatMap(each => filesOf(each).deadLetters ?? [])

export const keysOf = (deadLetters: readonly DeadLetterFile[]): readonly string[] => [
  ...new Set(deadLetters.flatMap(({ keys }) => keys))
]

const commitInfo = (bronze: BronzeCommit, nowMs: number, files: number): Action => ({
  commitInfo: {
    timestamp: nowMs,
    operation: 'STREAMING UPDATE',
    operationParameters: { outputMode: 'Append' },
    operationMetrics: { numAddedFiles: String(files) },
    isBlindAppend: true,
    engineInfo: ENGINE,
    txnId: bronze.commitIds.join('+'),
    bronze
  }
})
