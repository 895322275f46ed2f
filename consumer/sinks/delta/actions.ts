import type { CommitAuthor, StagedRange } from '../../sink.ts'

/** What our commits name as their engine. */
export const ENGINE = 'bronze-operator'

/** The actions of a Delta log entry that a writer of appends must know (PROTOCOL.md, "Actions"). */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[] | null
  readonly writerFeatures?: readonly string[] | null
}

export interface Metadata {
  readonly id: string
  readonly name?: string | null
  readonly description?: string | null
  readonly format: { readonly provider: string; readonly options?: Readonly<Record<string, string>> | null }
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration?: Readonly<Record<string, string>> | null
  readonly createdTime?: number | bigint | null
}

export interface Txn {
  readonly appId: string
  readonly version: number | bigint
  /** Milliseconds since the epoch. */
  readonly lastUpdated?: number | bigint | null
}

export interface Add {
  /** Relative to the table and URI-encoded. */
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number | bigint
  readonly modificationTime: number | bigint
  readonly dataChange: boolean
  /** JSON. */
  readonly stats?: string | null
  readonly tags?: Readonly<Record<string, string | null>> | null
}

export interface Remove {
  readonly path: string
  readonly deletionTimestamp?: number | bigint | null
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean | null
  readonly partitionValues?: Readonly<Record<string, string | null>> | null
  readonly size?: number | bigint | null
}

/** Free-form; `bronze` is ours. */
export interface CommitInfo {
  readonly timestamp?: number | bigint
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>> | null
  readonly bronze?: BronzeCommit
  readonly [field: string]: unknown
}

/** What a commit of ours says about itself. */
export interface BronzeCommit extends CommitAuthor {
  /** Of every batch in it; how an unknown outcome is resolved. */
  readonly commitIds: readonly string[]
  readonly ranges: readonly StagedRange[]
  /** The dead letters that this commit alone decides, still to be published in their own table. */
  readonly deadLetters: readonly DeadLetterFile[]
}

export interface DeadLetterFile {
  /** The dead-letter table under whose folder the file lies. */
  readonly table: string
  readonly file: DataFile
  /** Keys of the partitions with rows in it. */
  readonly keys: readonly string[]
}

/** An uploaded Parquet file and all that its `add` says. */
export interface DataFile {
  /** Relative to the table, as stored. */
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly sizeBytes: number
  readonly rows: number
  readonly modifiedMs: number
  readonly stats: string
}

export interface Action {
  readonly protocol?: Protocol
  readonly metaData?: Metadata
  readonly txn?: Txn
  readonly add?: Add
  readonly remove?: Remove
  readonly commitInfo?: CommitInfo
}

export const addOf = (file: DataFile): Add => ({
  path: encodePath(file.path),
  partitionValues: file.partitionValues,
  size: file.sizeBytes,
  modificationTime: file.modifiedMs,
  dataChange: true,
  stats: file.stats
})

/** A relative path as a URI (RFC 2396); `=` of partition folders may stay. */
const encodePath = (path: string): string =>
  path
    .split('/')
    .map(segment => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/')
