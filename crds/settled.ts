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
  readonly consumer: SettledConsumer
}

export interface SettledSource {
  readonly bootstrapServers: readonly string[]
  readonly groupId: string
  readonly security: SourceSecurity
  readonly onDataLoss: 'Fail' | 'Continue'
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

export interface SettledTopic {
  /** The entry's name, unique in the pipeline. */
  readonly name: string
  readonly match: { readonly topic: string } | { readonly pattern: string }
  /** Identifier with dots: `bronze.trips`. */
  readonly table: string
  readonly format: 'Raw' | 'Json'
  readonly startFrom: StartFrom
  readonly batch: BatchLimits
  readonly columns: readonly LiftedColumn[]
  /** Every metadata column the table carries, in order, renamed and with its type; omitted ones are absent. Entries that share a table have the same. */
  readonly metadataColumns: readonly MetadataColumn[]
  /** A record whose key and value together are larger goes to the dead letters. */
  readonly maxRecordBytes: number
}

/** Whichever is reached first, per table and consumer. */
export interface BatchLimits {
  readonly maxRecords: number | undefined
  readonly maxBytes: number
  readonly triggerIntervalMs: number
}

export type LiftedType = 'String' | 'Int' | 'Long' | 'Double' | 'Boolean' | 'Timestamp'

export interface LiftedColumn {
  readonly name: string
  readonly from:
    | { readonly kind: 'value'; readonly pointer: string }
    | { readonly kind: 'header'; readonly header: string }
    | { readonly kind: 'key' }
  readonly type: LiftedType
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
  | 'Value'

export interface MetadataColumn {
  readonly source: MetadataSource
  readonly name: string
  /** Only Key and Value can be either; the other sources have one type each. */
  readonly type: 'String' | 'Binary' | 'Int' | 'Long' | 'Timestamp' | 'Date' | 'Headers'
}

export type SettledSink = { readonly kind: 'delta'; readonly delta: DeltaSink }

export interface DeltaSink {
  /** `s3://bucket/prefix` or `file:///path`; table `a.b` lies at `<location>/a/b`. */
  readonly location: string
  readonly s3: S3Options | undefined
  readonly partitionBy: 'None' | 'Date' | 'Hour'
}

export interface S3Options {
  readonly endpoint: string | undefined
  readonly region: string
  readonly forcePathStyle: boolean
  /** Keys `accessKeyId`, `secretAccessKey`, `sessionToken` (optional); without it the environment's own identity is used. */
  readonly credentialsSecret: string | undefined
  /** Key `ca.crt`. */
  readonly caSecret: string | undefined
}

export interface SettledDeadLetters {
  readonly policy: 'Table' | 'Topic' | 'Inline' | 'Stop'
  /** Dead-letter table of a table: `{table}` is its last name, kept in the same namespace; `{topic}` is not known here. */
  readonly table: string
  /** Policy Topic: `{topic}` is replaced by the source topic. */
  readonly topic: string
}

export type SettledScaling =
  | { readonly mode: 'Partitions'; readonly partitionsPerReplica: number; readonly maxReplicas: number }
  | { readonly mode: 'External'; readonly replicas: number }

export interface SettledConsumer {
  readonly image: string | undefined
  readonly resources: {
    readonly requests?: Readonly<Record<string, string>>
    readonly limits?: Readonly<Record<string, string>>
  }
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly serviceAccountName: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly tolerations: readonly Readonly<Record<string, unknown>>[]
  readonly priorityClassName: string | undefined
  readonly imagePullSecrets: readonly string[]
  readonly terminationGracePeriodSeconds: number
  readonly upgrade: 'Manual' | 'Automatic'
  readonly rollout: 'Recreate' | 'Rolling'
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}
