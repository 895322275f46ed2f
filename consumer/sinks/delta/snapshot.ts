import type { CommitAuthor } from '../../sink.ts'
import type { Action, Metadata, Protocol, Txn } from './actions.ts'
import { formatKey } from '../offset-key.ts'
import { markersIn, offsetsIn } from './offsets.ts'

/**
 * What an append must know of a table at one version: nothing about its files, so its size does not grow with them. Only
 * with the number of keys: about 200 bytes per partition and incarnation ever ingested.
 */
export interface Snapshot {
  readonly version: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly txns: ReadonlyMap<string, Txn>
  /** Who last moved each key, as far as log entries were read since start. */
  readonly authors: ReadonlyMap<string, CommitAuthor>
  /** Version of the newest commit of any pipeline that was read. */
  readonly ourVersion: number | undefined
  readonly restores: readonly Restore[]
}

/** A RESTORE after a commit of ours: it takes rows away but keeps transaction identifiers. */
export interface Restore {
  readonly version: number
  /** Undefined when it was given as a time. */
  readonly toVersion: number | undefined
}

/** The table after one more log entry. */
export function applyEntry(before: Snapshot, version: number, actions: readonly Action[]): Snapshot {
  let { protocol, metadata, ourVersion } = before
  let txns: Map<string, Txn> | undefined
  let authors: Map<string, CommitAuthor> | undefined
  let restores = before.restores
  for (const action of actions) {
    protocol = action.protocol ?? protocol
    metadata = action.metaData ?? metadata
    if (action.txn) {
      txns ??= new Map(before.txns)
      txns.set(action.txn.appId, action.txn)
    }
    const info = action.commitInfo
    if (info?.operation === 'RESTORE')
      restores = [...restores, { version, toVersion: restoreTarget(info.operationParameters?.['version']) }]
    if (info?.bronze?.ranges === undefined) continue
    ourVersion = version
    restores = []
    authors ??= new Map(before.authors)
    const { pipeline, createdAt, consumerId } = info.bronze
    for (const range of info.bronze.ranges) authors.set(formatKey(range), { pipeline, createdAt, consumerId })
  }
  return {
    version,
    protocol,
    metadata,
    txns: txns ?? before.txns,
    authors: authors ?? before.authors,
    ourVersion,
    restores
  }
}

function restoreTarget(version: unknown): number | undefined {
  const target = typeof version === 'string' && version !== '' ? Number(version) : version
  return typeof target === 'number' && Number.isSafeInteger(target) ? target : undefined
}

/** Whether rows of ours are gone: the last RESTORE went to before our last commit, or to such a state. */
export function isRolledBack({ restores, ourVersion }: Pick<Snapshot, 'restores' | 'ourVersion'>): boolean {
  const stateAt = (version: number): boolean => {
    const restore = restores.findLast(each => each.version <= version)
    if (restore === undefined) return ourVersion !== undefined && version < ourVersion
    return restore.toVersion === undefined || stateAt(Math.min(restore.toVersion, restore.version - 1))
  }
  return restores.length > 0 && stateAt(Number.MAX_SAFE_INTEGER)
}

/** Whether anything of ours was ever committed here, so that a RESTORE may have taken it. */
export const holdsOurs = ({ txns }: Pick<Snapshot, 'txns'>): boolean =>
  offsetsIn(txns).length + markersIn(txns).length > 0
