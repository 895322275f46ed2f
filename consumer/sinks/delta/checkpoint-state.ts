import { openParquet } from '../../parquet/reader.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { Metadata, Protocol, Txn } from './actions.ts'

export interface CheckpointState {
  readonly protocol: Protocol | undefined
  readonly metadata: Metadata | undefined
  readonly txns: ReadonlyMap<string, Txn>
}

/**
 * What an append needs of a checkpoint, by range reads of three columns: the files it lists are never looked at. Undefined
 * when a part is gone (the log was cleaned meanwhile).
 */
export async function readCheckpointState(
  store: ObjectStore,
  parts: readonly string[]
): Promise<CheckpointState | undefined> {
  let protocol: Protocol | undefined
  let metadata: Metadata | undefined
  const txns = new Map<string, Txn>()
  for (const path of parts) {
    const file = await openParquet(store, path)
    if (file === undefined) return undefined
    for await (const row of file.rows(['txn', 'protocol', 'metaData'])) {
      const txn = row['txn'] as Txn | null | undefined
      if (txn?.appId !== undefined && txn.appId !== null) txns.set(txn.appId, txn)
      const foundProtocol = row['protocol'] as Protocol | null | undefined
      if (isPresent(foundProtocol?.minWriterVersion)) protocol = foundProtocol as Protocol
      const foundMetadata = row['metaData'] as Metadata | null | undefined
      if (isPresent(foundMetadata?.schemaString)) metadata = settleMetadata(foundMetadata as Metadata)
    }
  }
  return { protocol, metadata, txns }
}

const isPresent = (value: unknown): boolean => value !== undefined && value !== null

/** Maps come as objects, or as nothing when the writer left them out. */
function settleMetadata(metadata: Metadata): Metadata {
  return {
    ...metadata,
    format: { provider: metadata.format.provider, options: metadata.format.options ?? {} },
    partitionColumns: metadata.partitionColumns ?? [],
    configuration: metadata.configuration ?? {}
  }
}
