import type { SettledConsumer } from './settled-consumer.ts'
import type { S3Options } from './s3-options.ts'
import type { SettledScaling } from './settled-scaling.ts'

/**
 * A pipeline after parsing: defaults filled, overrides applied per topic, durations in milliseconds, sizes in bytes.
 * This is what the consumer and the operator's planner work from; `settle()` makes it from a valid `BronzePipeline`.
 */
export interface SettledPipeline {
  readonly namespace: string
  readonly name: string
  /** When the resource was created, RFC 3339; the older of two pipelines that claim one table keeps it. */
  readonly createdAt: string | undefined
  readonly source: SettledSource
  readonly topics: readonly SettledTopic[]
  readonly sink: SettledSink
  readonly deadLetters: SettledDeadLetters
  readonly scaling: SettledScaling
  readonly suspend: boolean
  /** Plan: nothing is done, it is told what would be. */
  readonly mode: 'Apply' | 'Plan'
  readonly consumer: SettledConsumer
}

export interface SettledSource {
  readonly bootstrapServers: readonly string[]
  readonly groupId: string
  readonly security: SourceSecurity
  readonly onDataLoss: 'Fail' | 'Continue'
  readonly schemaRegistry: SchemaRegistryOptions | undefined
}

/** A registry with Confluent's API. */
export interface SchemaRegistryOptions {
  /** With its path, if it has one; without a slash at the end. */
  readonly url: string
  /** Keys `username` and `password`, or `token`. */
  readonly credentialsSecret: string | undefined
  /** Key `ca.crt`. */
  readonly caSecret: string | undefined
}

/** Secrets are names only; their values are read from files `<secrets>/<name>/<key>` by whoever connects. */
export interface SourceSecurity {
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER' | undefined
  /** Keys `username` and `password`; for OAUTHBEARER `token`, or `clientId`, `clientSecret` with `tokenEndpoint` below. */
  readonly credentialsSecret: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly scope: string | undefined
  /** Key `ca.crt`. */
  readonly caSecret: string | undefined
  /** Keys `tls.crt` and `tls.key`. */
  readonly clientCertificateSecret: string | undefined
}

/** Where reading begins on a topic that the table has never held. `Group` takes over another group's offsets. */
export type StartFrom =
  | { readonly position: 'Earliest' | 'Latest' }
  | { readonly position: 'Timestamp'; readonly timestampMs: number }
  | { readonly position: 'Group'; readonly groupId: string }
  | { readonly position: 'Offsets'; readonly offsets: ReadonlyMap<number, number> }

/** Where reading ends: the first offset not to read of each partition. Partitions that it does not name are not read. */
export type EndAt =
  | { readonly position: 'Offsets'; readonly offsets: ReadonlyMap<number, number> }
  | {
      readonly position: 'Timestamp'
      readonly timestampMs: number
      /** All of them when undefined. */
      readonly partitions: readonly number[] | undefined
    }

export interface SettledTopic {
  /** The entry's name, unique in the pipeline. */
  readonly name: string
  readonly match: { readonly topic: string } | { readonly pattern: string }
  /** Identifier with dots: `bronze.trips`. */
  readonly table: string
  readonly format: 'Raw' | 'Json' | 'Avro' | 'Protobuf' | 'JsonSchema'
  readonly schema: SettledSchema
  readonly startFrom: StartFrom
  /** Undefined: never. */
  readonly endAt?: EndAt | undefined
  readonly batch: BatchLimits
  readonly columns: readonly LiftedColumn[]
  /**
   * Every metadata column the table carries, in order, renamed and with its type; omitted ones are absent. Entries that
   * share a table have the same.
   */
  readonly metadataColumns: readonly MetadataColumn[]
  /** A record whose key and value together are larger goes to the dead letters. At most 3 MiB with Snowflake's mode Streaming. */
  readonly maxRecordBytes: number
  readonly quality: SettledQuality | undefined
}

/** How the fields of values become columns. */
export interface SettledSchema {
  /**
   * Payload (also with JsonSchema): only what `columns` lifts, beside the value as it came. Declared: `columns` are all there is of the value.
   * Inferred: each field of a JSON object becomes a column. Registered (formats Avro, Protobuf and JsonSchema): each
   * field of the writer's schema does.
   */
  readonly mode: 'Payload' | 'Declared' | 'Inferred' | 'Registered'
  /** A field that the column of its name cannot take, even widened; modes Inferred and Registered. */
  readonly onIncompatible: 'DeadLetter' | 'Stop' | 'NewColumn'
  /** A value that is not of its declared column's type. SetNull: the column is null, and `_mismatch` names it. */
  readonly onMismatch: 'DeadLetter' | 'SetNull'
}

/** Flags on rows, which are never filtered. */
export interface SettledQuality {
  /** Each gives a Boolean column of its name. */
  readonly rules: readonly QualityRule[]
  /** Column of type Double: the weights of the rules that hold over all weights, 0 to 1. */
  readonly scoreColumn: string
}

export interface QualityRule {
  readonly name: string
  /** CEL; fields and lifted columns are its variables. */
  readonly expression: string
  readonly weight: number
}

/** Whichever is reached first, per table and consumer. */
export interface BatchLimits {
  readonly maxRecords: number | undefined
  readonly maxBytes: number
  readonly triggerIntervalMs: number
}

/** Decimal has precision and scale beside it. */
export type LiftedType = 'String' | 'Int' | 'Long' | 'Float' | 'Double' | 'Decimal' | 'Boolean' | 'Timestamp' | 'Date'

export interface LiftedColumn {
  readonly name: string
  readonly from:
    | { readonly kind: 'value'; readonly pointer: string }
    | { readonly kind: 'header'; readonly header: string }
    | { readonly kind: 'key' }
  readonly type: LiftedType
  /** Digits in all, 1 to 38, of a Decimal. */
  readonly precision?: number | undefined
  /** Digits after the point, 0 to `precision`, of a Decimal. */
  readonly scale?: number | undefined
  /** A record without it is a dead letter. */
  readonly required: boolean
}

export type MetadataSource =
  | 'Topic'
  | 'Partition'
  | 'Offset'
  | 'Timestamp'
  | 'Key'
  | 'Headers'
  | 'IngestedAt'
  | 'IngestionDate'
  | 'IngestionHour'
  | 'IngestionId'
  | 'ConsumerId'
  | 'SchemaVersion'
  | 'Value'

export interface MetadataColumn {
  readonly source: MetadataSource
  readonly name: string
  /**
   * Key and Value can be String or Binary, Value of JSON in Snowflake tables and NDJSON objects Variant too; the other sources
   * have one type each. With format JsonSchema, a Value that is not Binary is the JSON alone, without the id of its schema.
   */
  readonly type: 'String' | 'Binary' | 'Int' | 'Long' | 'Timestamp' | 'Date' | 'Headers' | 'Variant'
  /** The sink needs it beside the rows; the table itself does not have it. */
  readonly isStagedOnly?: true
}

export type SettledSink =
  | { readonly kind: 'delta'; readonly delta: DeltaSink }
  | { readonly kind: 'iceberg'; readonly iceberg: IcebergSink }
  | { readonly kind: 'snowflake'; readonly snowflake: SnowflakeSink }
  | { readonly kind: 's3'; readonly s3: S3Sink }

export interface DeltaSink {
  /** `s3://bucket/prefix` or `file:///path`; table `a.b` lies at `<location>/a/b`. */
  readonly location: string
  readonly s3: S3Options | undefined
  readonly partitionBy: 'None' | 'Date' | 'Hour'
}

/** Table `a.b.c` is the table `c` of the namespace `a.b`. */
export interface IcebergSink {
  readonly catalog: IcebergCatalog
  /** For tables that we create: where they lie; the catalog's own choice when undefined. Table `a.b` lies at `<location>/a/b`. */
  readonly location: string | undefined
  readonly partitionBy: readonly PartitionSpec[]
  /** Of tables that we create. */
  readonly formatVersion: 2 | 3
  /** What the catalog does not tell about the object store. */
  readonly s3: S3Options | undefined
}

/** An Iceberg REST catalog. */
export interface IcebergCatalog {
  /** Without `/v1` and without a slash at the end. */
  readonly uri: string
  readonly warehouse: string | undefined
  /** Keys `token`, or `clientId` and `clientSecret` for OAuth 2.0 client credentials; none when undefined. */
  readonly credentialsSecret: string | undefined
  /** `<uri>/v1/oauth/tokens` when undefined. */
  readonly tokenEndpoint: string | undefined
  readonly scope: string | undefined
  /** Key `ca.crt`. */
  readonly caSecret: string | undefined
}

/** One field of an Iceberg partition spec, on a metadata column. */
export interface PartitionSpec {
  readonly source: 'Topic' | 'Partition' | 'Offset' | 'Timestamp' | 'Key' | 'IngestedAt' | 'IngestionDate'
  readonly transform: 'Identity' | 'Year' | 'Month' | 'Day' | 'Hour' | 'Bucket' | 'Truncate'
  /** Buckets, or the width to truncate to. */
  readonly width: number | undefined
}

/**
 * Table `a.b` is the table `B` of the schema `A`. All names are folded to upper case, as Snowflake folds names without quotes.
 */
export interface SnowflakeSink {
  /** `organization-account`. */
  readonly account: string
  /** Where the account answers, without a slash at the end; `https://<account>.snowflakecomputing.com` when undefined. */
  readonly url: string | undefined
  readonly database: string
  /** Of tables that are named without one. */
  readonly schema: string
  /** The user's own default when undefined, as for the role. */
  readonly warehouse: string | undefined
  readonly role: string | undefined
  readonly authentication: 'KeyPair' | 'Password' | 'OAuth' | 'WorkloadIdentity'
  /**
   * Keys by authentication: KeyPair `user`, `privateKey` (PEM, PKCS #8) and perhaps `passphrase`; Password `user` and `password`;
   * OAuth `token`, or `clientId` and `clientSecret` with the token endpoint below; WorkloadIdentity with provider Oidc `token`.
   */
  readonly credentialsSecret: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly scope: string | undefined
  readonly workloadIdentityProvider: 'Aws' | 'Azure' | 'Gcp' | 'Oidc' | undefined
  readonly proxy: SnowflakeProxy | undefined
  readonly mode: 'Transaction' | 'Merge' | 'Streaming'
  /** Names of columns, of tables that we create. */
  readonly clusterBy: readonly string[]
  /** False: a commit waits, up to `maxIdleDelayMs`, until somebody else's query has resumed the warehouse. */
  readonly flushWhenWarehouseIdle: boolean
  readonly maxIdleDelayMs: number
}

/** An HTTP proxy between us and Snowflake. */
export interface SnowflakeProxy {
  readonly host: string
  readonly port: number
  /** Keys `username` and `password`. */
  readonly credentialsSecret: string | undefined
}

/** Objects for readers that have no table format. Table `a.b` lies at `<location>/a/b`. */
export interface S3Sink {
  /** `s3://bucket/prefix` or `file:///path`. */
  readonly location: string
  readonly format: 'Parquet' | 'Ndjson'
  /** Of NDJSON objects; Parquet's pages are Zstd. */
  readonly compression: 'Zstd' | 'Gzip'
  /**
   * Partitioned: uniquely named objects below `path`, which commit objects name: readers trust those. Glob: one object per
   * partition and commit that readers find by its place alone; no object of a commit that never was is ever there.
   */
  readonly layout: 'Partitioned' | 'Glob'
  /** Folder of an object below its table, with `{topic}`, `{partition}`, `{yyyy}`, `{MM}`, `{dd}`, `{HH}` (UTC); perhaps empty. */
  readonly path: string
  /** The time that `path` is made of: one per commit, or each record's own. */
  readonly pathTime: 'IngestedAt' | 'Timestamp'
  readonly s3: S3Options | undefined
}

export interface SettledDeadLetters {
  readonly policy: 'Table' | 'Topic' | 'Inline' | 'Stop'
  /** Dead-letter table of a table: `{table}` is its last name, kept in the same namespace; `{topic}` is not known here. */
  readonly table: string
  /** Policy Topic: `{topic}` is replaced by the source topic. */
  readonly topic: string
}
