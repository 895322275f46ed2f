import type { CommitAuthor } from '../../sink.ts'
import type { NewManifest } from './manifest-list.ts'
import type { Snapshot } from './metadata.ts'
import { formatState, type TableState } from './state.ts'

type Summary = Readonly<Record<string, string>>

const COMMITS = 'bronze.commits'
const PIPELINE = 'bronze.pipeline'
const PIPELINE_CREATED = 'bronze.pipeline-created'
const CONSUMER = 'bronze.consumer'

export const ENGINE = 'bronze-operator'

/** The summary of an append on `parent` (spec, "Optional Snapshot Summary Fields"): what it adds, totals, our state. */
export function appendSummary(options: {
  readonly parent: Snapshot | undefined
  /** Of this commit; merged ones, which add nothing, may be among them. */
  readonly manifests: readonly NewManifest[]
  readonly state: TableState
  readonly commitIds: readonly string[]
  readonly author: CommitAuthor
}): Summary {
  const { parent, manifests, state, commitIds, author } = options
  const added = {
    'data-files': sum(manifests, each => each.addedFiles),
    records: sum(manifests, each => each.addedRows),
    'files-size': sum(manifests, each => each.addedBytes)
  }
  return {
    operation: 'append',
    ...Object.fromEntries(Object.entries(added).map(([name, value]) => [`added-${name}`, String(value)])),
    'changed-partition-count': String(sum(manifests, each => each.addedTuples)),
    ...totals(parent, { ...added, 'delete-files': 0, 'position-deletes': 0, 'equality-deletes': 0 }),
    'engine-name': ENGINE,
    [COMMITS]: commitIds.join(','),
    [PIPELINE]: author.pipeline,
    ...(author.createdAt === undefined ? {} : { [PIPELINE_CREATED]: author.createdAt }),
    [CONSUMER]: author.consumerId,
    ...formatState(state)
  }
}

/** A total that the parent does not tell is unknown from then on. */
function totals(parent: Snapshot | undefined, added: Readonly<Record<string, number>>): Summary {
  return Object.fromEntries(
    Object.entries(added).flatMap(([name, value]) => {
      const before = parent === undefined ? '0' : (parent.summary[`total-${name}`] ?? '')
      return /^\d{1,15}$/.test(before) ? [[`total-${name}`, String(Number(before) + value)]] : []
    })
  )
}

/** The ids of the commits of ours that a snapshot is; none for those of others. */
export const commitIdsIn = (summary: Summary): readonly string[] => summary[COMMITS]?.split(',') ?? []

export function authorIn(summary: Summary): CommitAuthor | undefined {
  const [pipeline, consumerId] = [summary[PIPELINE], summary[CONSUMER]]
  if (pipeline === undefined || consumerId === undefined) return undefined
  return { pipeline, createdAt: summary[PIPELINE_CREATED], consumerId }
}

const sum = (manifests: readonly NewManifest[], of: (manifest: NewManifest) => number): number =>
  manifests.reduce((total, each) => total + of(each), 0)
