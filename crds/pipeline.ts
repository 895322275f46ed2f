// Made from crds/bronzepipeline.yaml by `npm run generate`; change that file, not this one.

/**
 * A BronzePipeline writes every record of its Kafka topics into its bronze table or its dead-letter table exactly
 * once. Deleting a pipeline never deletes a table; creating it again continues where the tables are.
 */
export interface BronzePipeline {
  /** Always `bronze.dev/v1alpha1`. */
  readonly apiVersion: string
  /** Always `BronzePipeline`. */
  readonly kind: string
  readonly metadata: ObjectMeta
  /** What is read, where it goes and how many consumers do it. */
  readonly spec: BronzePipelineSpec
  /** What the operator saw. Written when a condition changes or a rounded figure does, at most every 30 seconds. */
  readonly status?: BronzePipelineStatus
}

/** What is read, where it goes and how many consumers do it. */
export interface BronzePipelineSpec {
  /** The Kafka cluster and how it is read. */
  readonly source: SourceSpec
  /**
   * What is read and into which tables. A topic that several entries match belongs to the entry that names it, else to
   * the first pattern that matches.
   */
  readonly topics: readonly TopicSpec[]
  /**
   * Renames, retypes or omits the columns that come from Kafka and from the commit; those not named here keep their
   * standard names. `IngestionHour` is there when named here or when a Delta table is partitioned by hour,
   * `SchemaVersion` with formats Avro, Protobuf and JsonSchema, `Value` when named here or when the values stay whole
   * (format Raw, and mode Payload), all others by default.
   */
  readonly metadataColumns: readonly MetadataColumnSpec[]
  /** When a commit is made, per table and consumer, whichever comes first; a topic may override it. */
  readonly batch: BatchSpec
  /** Where the tables are, exactly one of `delta`, `iceberg`, `snowflake` and `s3`. The kind is immutable. */
  readonly sink: SinkSpec
  /**
   * What becomes of records that cannot be written as their table asks. Their bytes, coordinates and the reason are
   * kept.
   */
  readonly deadLetters: DeadLettersSpec
  /** How many consumers run. */
  readonly scaling: ScalingSpec
  /** `true` stops all consumers after a last commit; nothing is lost, reading goes on from there later. */
  readonly suspend: boolean
  /**
   * `Plan`: nothing is created, changed or deleted for this pipeline; what would be is told in `status.plan`, by a dry
   * run of the API server, and consumers that run go on as they are. `Apply`: it is done. `Apply` when absent.
   */
  readonly mode?: 'Apply' | 'Plan'
  /** Settings of the consumers' pods. */
  readonly consumer: ConsumerSpec
}

/** The Kafka cluster and how it is read. */
export interface SourceSpec {
  /** Addresses `host:port` of brokers to begin with; the rest of the cluster is found from them. */
  readonly bootstrapServers: readonly string[]
  /**
   * Kafka consumer group of the consumers. `bronze.<namespace>.<name>` when absent. The tables own the offsets; what
   * the group holds is a report for people and lag tools. Immutable.
   */
  readonly groupId?: string
  /** How to connect to the brokers. */
  readonly security: SecuritySpec
  /**
   * Where the schemas of values are, for formats Avro, Protobuf and JsonSchema. A registry with the API of
   * Confluent's.
   */
  readonly schemaRegistry?: SchemaRegistrySpec
  /**
   * Where reading begins on a topic that the table has never held. Resolved once and kept in the table; partitions and
   * topics that appear later begin at their first record.
   */
  readonly startFrom: StartFrom
  /**
   * What to do when the source no longer has what the table expects next: the topic was created anew, truncated, or
   * deleted by retention. `Fail` stops with a reason, `Continue` goes on with what there is and says so.
   */
  readonly onDataLoss: 'Fail' | 'Continue'
}

/** How to connect to the brokers. */
export interface SecuritySpec {
  /** Security protocol of the brokers' listener, as Kafka names it. */
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** SASL mechanism, as Kafka names it. */
  readonly mechanism?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  /**
   * Secret with the keys `username` and `password`; for OAUTHBEARER `token`, or `clientId` and `clientSecret` when
   * `tokenEndpoint` is given.
   */
  readonly credentialsSecretRef?: SecretRef
  /** OAuth 2.0 token endpoint that gives tokens for `clientId` and `clientSecret`. */
  readonly tokenEndpoint?: string
  /** Scope asked for at `tokenEndpoint`. */
  readonly scope?: string
  /** Secret with the key `ca.crt`, the authorities that sign the brokers' certificates. The system's own when absent. */
  readonly caSecretRef?: SecretRef
  /** Secret with the keys `tls.crt` and `tls.key`, our certificate when the brokers ask for one. */
  readonly clientCertificateSecretRef?: SecretRef
}

/**
 * Secret with the keys `username` and `password`; for OAUTHBEARER `token`, or `clientId` and `clientSecret` when
 * `tokenEndpoint` is given.
 */
export interface SecretRef {
  /** Name of a Secret in the pipeline's namespace. */
  readonly name: string
}

/** Where the schemas of values are, for formats Avro, Protobuf and JsonSchema. A registry with the API of Confluent's. */
export interface SchemaRegistrySpec {
  /** Address of the registry, with its path if it has one, without a slash at the end: `http://registry:8081`. */
  readonly url: string
  /** Secret with the keys `username` and `password`, or `token`. No credentials when absent. */
  readonly credentialsSecretRef?: SecretRef
  /** Secret with the key `ca.crt`, the authorities that sign the registry's certificate. The system's own when absent. */
  readonly caSecretRef?: SecretRef
}

/**
 * Where reading begins on a topic that the table has never held. Resolved once and kept in the table; partitions and
 * topics that appear later begin at their first record.
 */
export interface StartFrom {
  /**
   * `Earliest`: the first record the broker still has. `Latest`: only what comes from now on. `Timestamp`: the first
   * record at or after `timestamp`. `Group`: take over the offsets of the group `groupId`.
   */
  readonly position: 'Earliest' | 'Latest' | 'Timestamp' | 'Group'
  /** RFC 3339 time, for position Timestamp. */
  readonly timestamp?: string
  /**
   * Group whose offsets are taken over, for position Group. Its members should stop first, since what they read later
   * is read again.
   */
  readonly groupId?: string
}

/** One topic, or all topics that match a pattern, and their table. */
export interface TopicSpec {
  /** Name of the entry, unique in the pipeline. */
  readonly name: string
  /** The topic to read. The entry's `name` when neither `topic` nor `pattern` is given. */
  readonly topic?: string
  /**
   * Reads all topics whose whole name matches this regular expression, also those created later; never Kafka's
   * internal topics nor the pipeline's own dead-letter topics. Letters, digits, `_`, `-`, `.`, `[...]`, `\d`, `\w`,
   * `\.`, `|`, groups, and after a single character or class `*`, `+`, `?`, `{n,m}`; after a group `?` only.
   */
  readonly pattern?: string
  /**
   * The table to write: up to three names of letters, digits and underscores, joined by dots. Several entries may
   * share a table. Immutable for an entry's name.
   */
  readonly table: string
  /**
   * `Raw` keeps values as bytes and never refuses any. `Json` checks that values are JSON in UTF-8 (others become dead
   * letters); `schema.mode` says how they become columns. `Avro`, `Protobuf` and `JsonSchema` read values that begin
   * with the id of their schema in `source.schemaRegistry`; each of their fields is a column of its own type (nested
   * ones VARIANT in Snowflake).
   */
  readonly format: 'Raw' | 'Json' | 'Avro' | 'Protobuf' | 'JsonSchema'
  /** How the fields of values become columns of the table. */
  readonly schema?: TopicSchemaSpec
  /** Rules that flag rows and never filter them: a column of true and false for each, and one for the share that holds. */
  readonly quality?: QualitySpec
  /** Overrides `source.startFrom` for this entry. */
  readonly startFrom?: TopicStartFrom
  /**
   * Where reading ends; nothing at or beyond it is written. Never when absent. A pipeline whose entries all end is
   * Completed once its tables hold all of it, and runs no consumers from then on.
   */
  readonly endAt?: TopicEndAt
  /** Overrides fields of `spec.batch` for this entry's table. */
  readonly batch?: TopicBatchSpec
  /** Columns lifted from each record, beside the metadata columns. */
  readonly columns: readonly ColumnSpec[]
  /**
   * A record whose key and value together are larger becomes a dead letter. Between `1Ki` and `256Mi`; at most `16Mi`
   * with the sink snowflake, whose mode Streaming takes `3Mi` for anything larger: its requests hold no more.
   */
  readonly maxRecordBytes: string
}

/** How the fields of values become columns of the table. */
export interface TopicSchemaSpec {
  /**
   * For format Json. `Payload`, also when absent: the value stays whole, in the metadata column Value, and `columns`
   * are lifted from it. `Inferred`: each field of an object is a column, whose type is what the values are.
   * `Declared`: `columns` are all that is kept, and each value is checked against its column's type. `Payload` goes
   * with format JsonSchema too: Value is the JSON without the id of its schema, SchemaVersion the version that the
   * registry has for it, and no field becomes a column by itself.
   */
  readonly mode?: 'Payload' | 'Inferred' | 'Declared'
  /**
   * For formats Avro, Protobuf and JsonSchema and mode Inferred: what to do with a field that the column of its name
   * cannot take. New fields always become columns, and columns widen where the types allow it (int to long, float to
   * double, decimals of the same scale). `DeadLetter`, also when absent: its record is a dead letter. `Stop`: the
   * consumer stops with the reason. `NewColumn`: the field gets a column of its own, named after field and type, such
   * as `amount_string`.
   */
  readonly onIncompatible?: 'DeadLetter' | 'Stop' | 'NewColumn'
  /**
   * For mode Declared: what to do with a value that is not of its column's type. `DeadLetter`, also when absent: its
   * record is a dead letter. `SetNull`: the column is null in that row, and the column `_mismatch` names it.
   */
  readonly onMismatch?: 'DeadLetter' | 'SetNull'
}

/** Rules that flag rows and never filter them: a column of true and false for each, and one for the share that holds. */
export interface QualitySpec {
  /** What is asked of each row. */
  readonly rules: readonly QualityRuleSpec[]
  /** Name of the column with the score: the weights of the rules that hold over all weights, 0 to 1. */
  readonly scoreColumn: string
}

/** One rule and its column. */
export interface QualityRuleSpec {
  /** Name of the rule and of its column. */
  readonly name: string
  /**
   * What must hold, in CEL: `trip_distance > 0.0`. Variables are the value's fields and the lifted columns. A rule
   * that fails to evaluate, such as on a null, counts as one that does not hold.
   */
  readonly expression: string
  /** What the rule counts in the score. */
  readonly weight: number
}

/** Overrides `source.startFrom` for this entry. */
export interface TopicStartFrom {
  /**
   * As in `source.startFrom`, and `Offsets`: the next offset to read of each partition in `offsets`; partitions not
   * named there begin at their first record.
   */
  readonly position: 'Earliest' | 'Latest' | 'Timestamp' | 'Group' | 'Offsets'
  /** RFC 3339 time, for position Timestamp. */
  readonly timestamp?: string
  /**
   * Group whose offsets are taken over, for position Group. Its members should stop first, since what they read later
   * is read again.
   */
  readonly groupId?: string
  /** Where to begin by partition, for position Offsets. */
  readonly offsets?: readonly PartitionOffset[]
}

/** One partition's first offset to read. */
export interface PartitionOffset {
  /** Number of the partition. */
  readonly partition: number
  /** The first offset to read. */
  readonly offset: number
}

/**
 * Where reading ends; nothing at or beyond it is written. Never when absent. A pipeline whose entries all end is
 * Completed once its tables hold all of it, and runs no consumers from then on.
 */
export interface TopicEndAt {
  /**
   * `Offsets`: the first offset not to read of each partition in `offsets`; partitions not named there are not read.
   * `Timestamp`: before the first record at or after `timestamp`; where there is none once that time has passed, at
   * the last stable offset.
   */
  readonly position: 'Offsets' | 'Timestamp'
  /** Where to end by partition, for position Offsets. */
  readonly offsets?: readonly PartitionEnd[]
  /** RFC 3339 time, for position Timestamp. */
  readonly timestamp?: string
  /** For position Timestamp, the only partitions to read. All of them when absent. */
  readonly partitions?: readonly number[]
}

/** One partition's first offset not to read. */
export interface PartitionEnd {
  /** Number of the partition. */
  readonly partition: number
  /** The first offset not to read. */
  readonly offset: number
}

/** Overrides fields of `spec.batch` for this entry's table. */
export interface TopicBatchSpec {
  /**
   * A commit is made at most this long after its first record came: between `100ms` and `24h`, in parts such as
   * `1m30s`.
   */
  readonly triggerInterval?: string
  /** A commit is made when this many records wait. No limit when absent. */
  readonly maxRecords?: number
  /** A commit is made when records of about this size wait, between `64Ki` and `1Gi`. */
  readonly maxBytes?: string
}

/** One column and what it is lifted from, exactly one of `value`, `header` and `key`. */
export interface ColumnSpec {
  /** Name of the column. Names that begin with an underscore are kept for metadata columns. */
  readonly name: string
  /** JSON Pointer (RFC 6901) into the value: `/event/type`. */
  readonly value?: string
  /** Name of a header; the last one of that name counts. */
  readonly header?: string
  /** `true` lifts the record's key. */
  readonly key?: true
  /**
   * Type of the column. `Int` has 32 bits, `Long` 64; `Float` is the nearest number of single precision; `Decimal` is
   * exact, with `precision` and `scale`; `Timestamp` takes RFC 3339 text or milliseconds since the epoch; `Date` takes
   * text such as `2026-01-31`. A value that is not of the type makes the record a dead letter, unless
   * `schema.onMismatch` is `Null`.
   */
  readonly type: 'String' | 'Int' | 'Long' | 'Float' | 'Double' | 'Decimal' | 'Boolean' | 'Timestamp' | 'Date'
  /** Digits in all, for type Decimal. */
  readonly precision?: number
  /** Digits after the point, for type Decimal; 0 when absent. */
  readonly scale?: number
  /** A record that lacks the column, or has null there, becomes a dead letter. */
  readonly required: boolean
}

/** One metadata column. */
export interface MetadataColumnSpec {
  /**
   * What the column holds; its standard name. `Topic`: `_kafka_topic`, `Partition`: `_kafka_partition`, `Offset`:
   * `_kafka_offset`, `Timestamp`: `_kafka_timestamp`, `Key`: `_kafka_key`, `Headers`: `_kafka_headers`, `IngestedAt`:
   * `_ingested_at` (time of the commit), `IngestionDate`: `_ingestion_date`, `IngestionHour`: `_ingestion_hour`,
   * `IngestionId`: `_ingestion_id` (`topic-partition-offset`), `ConsumerId`: `_consumer_id`, `SchemaVersion`:
   * `_schema_version` (version of the value's schema in its subject), `Value`: `value`.
   */
  readonly source: 'Topic' | 'Partition' | 'Offset' | 'Timestamp' | 'Key' | 'Headers' | 'IngestedAt' | 'IngestionDate' | 'IngestionHour' | 'IngestionId' | 'ConsumerId' | 'SchemaVersion' | 'Value'
  /** Name of the column, in place of the standard one. */
  readonly name?: string
  /**
   * For Key and Value: bytes as they came, or text. Key is `Binary` when absent, Value is `String` with format Json
   * and `Binary` with the others. Bytes that are not UTF-8 make the record a dead letter when the type is `String`.
   * `Variant`, for Value with format Json: the JSON itself, as a `VARIANT` of Snowflake, where it is what Value is
   * when absent, or within the object of an NDJSON line.
   */
  readonly type?: 'String' | 'Binary' | 'Variant'
  /** `true` leaves the column out. */
  readonly omit?: true
}

/** When a commit is made, per table and consumer, whichever comes first; a topic may override it. */
export interface BatchSpec {
  /**
   * A commit is made at most this long after its first record came: between `100ms` and `24h`, in parts such as
   * `1m30s`.
   */
  readonly triggerInterval: string
  /** A commit is made when this many records wait. No limit when absent. */
  readonly maxRecords?: number
  /** A commit is made when records of about this size wait, between `64Ki` and `1Gi`. */
  readonly maxBytes: string
}

/** Where the tables are, exactly one of `delta`, `iceberg`, `snowflake` and `s3`. The kind is immutable. */
export interface SinkSpec {
  /** Delta Lake tables on an object store or in a folder. */
  readonly delta?: DeltaSpec
  /**
   * Apache Iceberg tables in a REST catalog. Namespaces and tables that are not there are created; table `a.b.c` is
   * the table `c` of the namespace `a.b`.
   */
  readonly iceberg?: IcebergSpec
  /**
   * Tables in Snowflake. All names are folded to upper case, as Snowflake does with names that are not quoted:
   * `orders_raw` and `ORDERS_RAW` are one table. Table `a.b` is the table `B` of the schema `A`.
   */
  readonly snowflake?: SnowflakeSpec
  /** Objects on an object store or files in a folder, for readers that have no table format. */
  readonly s3?: S3SinkSpec
}

/** Delta Lake tables on an object store or in a folder. */
export interface DeltaSpec {
  /**
   * `s3://bucket/prefix` or `file:///folder`, without a slash at the end; table `a.b` lies at `<location>/a/b`. A
   * folder is for `bronze run` on one machine: consumers on Kubernetes have none. Immutable.
   */
  readonly location: string
  /**
   * How tables are partitioned: by the date of the commit in UTC, by date and hour, or not at all. Immutable, as a
   * table's partitioning is.
   */
  readonly partitionBy: 'None' | 'Date' | 'Hour'
  /** How to reach the object store, for a location that begins with `s3://`. */
  readonly s3?: S3Spec
}

/** How to reach the object store, for a location that begins with `s3://`. */
export interface S3Spec {
  /** Address of an S3-compatible server. AWS itself when absent. */
  readonly endpoint?: string
  /** Region that requests are signed for. */
  readonly region: string
  /** Names the bucket in the path and not in the host name; most S3-compatible servers need it. */
  readonly forcePathStyle: boolean
  /**
   * Secret with the keys `accessKeyId`, `secretAccessKey` and perhaps `sessionToken`. When absent, the identity of the
   * pod's service account or of the environment.
   */
  readonly credentialsSecretRef?: SecretRef
  /** Secret with the key `ca.crt`, the authorities that sign the endpoint's certificate. The system's own when absent. */
  readonly caSecretRef?: SecretRef
  /** How the store encrypts the objects we write. As the bucket has it by default when absent. */
  readonly encryption?: S3EncryptionSpec
}

/** How the store encrypts the objects we write. As the bucket has it by default when absent. */
export interface S3EncryptionSpec {
  /** `S3`: with keys of the store's own (SSE-S3). `Kms`: with a key of the key management service (SSE-KMS). */
  readonly type: 'S3' | 'Kms'
  /** Id or ARN of the key, for type Kms; the account's own key for the store when absent. */
  readonly keyId?: string
}

/**
 * Apache Iceberg tables in a REST catalog. Namespaces and tables that are not there are created; table `a.b.c` is the
 * table `c` of the namespace `a.b`.
 */
export interface IcebergSpec {
  /** The catalog, by Iceberg's REST API. */
  readonly catalog: IcebergCatalogSpec
  /**
   * `s3://bucket/prefix`, without a slash at the end: where tables that we create lie, table `a.b` at
   * `<location>/a/b`. The catalog chooses when absent. Immutable.
   */
  readonly location?: string
  /**
   * How tables are partitioned, on metadata columns; not at all when empty. Each commit writes a file for each
   * partition that its records fall in. Immutable, as it holds for the tables that we create.
   */
  readonly partitionBy: readonly PartitionFieldSpec[]
  /** Version of Iceberg's table format, of tables that we create. Immutable. */
  readonly formatVersion: 2 | 3
  /**
   * How to reach the object store. Goes before what the catalog tells; without it, what the catalog tells, its
   * credentials included. `region: us-east-1` and `forcePathStyle: false` count as not given.
   */
  readonly s3?: S3Spec
}

/** The catalog, by Iceberg's REST API. */
export interface IcebergCatalogSpec {
  /** Address of the catalog, without `/v1` and without a slash at the end: `http://catalog:8181`. Immutable. */
  readonly uri: string
  /** Name of the warehouse, for catalogs that have several; some expect a location here. Immutable. */
  readonly warehouse?: string
  /**
   * Secret with the key `token`, a bearer token, or with `clientId` and `clientSecret`, for which a token is asked
   * for. No credentials when absent.
   */
  readonly credentialsSecretRef?: SecretRef
  /**
   * OAuth 2.0 token endpoint that gives tokens for `clientId` and `clientSecret`. The catalog's own,
   * `<uri>/v1/oauth/tokens`, when absent.
   */
  readonly tokenEndpoint?: string
  /** Scope asked for at the token endpoint; `catalog` when absent. */
  readonly scope?: string
  /** Secret with the key `ca.crt`, the authorities that sign the catalog's certificate. The system's own when absent. */
  readonly caSecretRef?: SecretRef
}

/** A metadata column and what of it is the same in all rows of a partition. */
export interface PartitionFieldSpec {
  /** The metadata column, by its source. */
  readonly source: 'Topic' | 'Partition' | 'Offset' | 'Timestamp' | 'Key' | 'IngestedAt' | 'IngestionDate'
  /**
   * Iceberg's partition transform. Timestamp and IngestedAt take `Year`, `Month`, `Day`, `Hour`, `Bucket` and
   * `Identity`; IngestionDate all of these but `Hour`; Topic, Partition and Key `Identity`, `Bucket` and `Truncate`;
   * Offset `Bucket` and `Truncate`.
   */
  readonly transform: 'Identity' | 'Year' | 'Month' | 'Day' | 'Hour' | 'Bucket' | 'Truncate'
  /** For Bucket the number of buckets, for Truncate the characters kept or the step that numbers are rounded down to. */
  readonly width?: number
}

/**
 * Tables in Snowflake. All names are folded to upper case, as Snowflake does with names that are not quoted:
 * `orders_raw` and `ORDERS_RAW` are one table. Table `a.b` is the table `B` of the schema `A`.
 */
export interface SnowflakeSpec {
  /**
   * Account identifier `organization-account`, without the domain: `acme-analytics`. Of a former account locator the
   * part before the first dot, with the whole address in `url`. Immutable.
   */
  readonly account: string
  /**
   * Address of the account where it is not `https://<account>.snowflakecomputing.com`, such as with a private link,
   * without a slash at the end.
   */
  readonly url?: string
  /**
   * The database of all tables. It must be there. A name of letters, digits and underscores, as all names here are.
   * Immutable.
   */
  readonly database: string
  /** The schema of tables that are named without one. Immutable. */
  readonly schema: string
  /** The warehouse that commits run on. The user's default when absent. */
  readonly warehouse?: string
  /** The role that writes. The user's default when absent. */
  readonly role?: string
  /**
   * How we tell who we are. `KeyPair`: a private key whose public key the user has. `Password`: of a user, or a
   * programmatic access token in its place. `OAuth`: a token, or a client that asks `tokenEndpoint` for one.
   * `WorkloadIdentity`: the identity of the pod at its cloud, or a token of an OpenID Connect issuer.
   */
  readonly authentication: 'KeyPair' | 'Password' | 'OAuth' | 'WorkloadIdentity'
  /**
   * Secret with the keys, for KeyPair, `user`, `privateKey` (PEM, PKCS #8) and perhaps `passphrase`; for Password
   * `user` and `password`; for OAuth `token`, or `clientId` and `clientSecret` when `tokenEndpoint` is given; for the
   * workload identity Oidc `token`.
   */
  readonly credentialsSecretRef?: SecretRef
  /** OAuth 2.0 token endpoint that gives tokens for `clientId` and `clientSecret`. */
  readonly tokenEndpoint?: string
  /** Scope asked for at `tokenEndpoint`: `session:role:BRONZE_WRITER`. */
  readonly scope?: string
  /** Whose identity we have, for authentication WorkloadIdentity. */
  readonly workloadIdentity?: SnowflakeWorkloadIdentitySpec
  /** An HTTP proxy between the consumers and Snowflake, by its `host` and `port`. */
  readonly proxy?: SnowflakeProxySpec
  /**
   * `Transaction`: each batch is staged and inserted in one transaction. `Merge`: as well, by a MERGE on the column
   * IngestionId, which leaves out rows that are there, whoever wrote them. `Streaming`: Snowpipe Streaming, seconds
   * from record to row and no warehouse for commits; cannot be changed to or from.
   */
  readonly mode: 'Transaction' | 'Merge' | 'Streaming'
  /**
   * Clustering key of tables that we create, by names of columns that every table has. ALTER TABLE … CLUSTER BY
   * changes those that are there.
   */
  readonly clusterBy?: readonly string[]
  /**
   * `false`: a commit that is due waits, at most `maxIdleDelay`, until somebody else's query has resumed the
   * warehouse, so that we do not resume it ourselves. For the modes Transaction and Merge.
   */
  readonly flushWhenWarehouseIdle: boolean
  /**
   * How long a commit waits for a suspended warehouse, with `flushWhenWarehouseIdle: false`; between `1s` and `24h`,
   * `15m` when absent.
   */
  readonly maxIdleDelay?: string
}

/** Whose identity we have, for authentication WorkloadIdentity. */
export interface SnowflakeWorkloadIdentitySpec {
  /**
   * `Aws`, `Azure` and `Gcp` take the identity that the cloud gives the pods' service account,
   * `consumer.serviceAccountName`; `Oidc` the key `token` of `credentialsSecretRef`.
   */
  readonly provider: 'Aws' | 'Azure' | 'Gcp' | 'Oidc'
}

/** An HTTP proxy between the consumers and Snowflake, by its `host` and `port`. */
export interface SnowflakeProxySpec {
  /** Name or address of the proxy, without a scheme. */
  readonly host: string
  /** Port of the proxy. */
  readonly port: number
  /** Secret with the keys `username` and `password`. No credentials when absent. */
  readonly credentialsSecretRef?: SecretRef
}

/** Objects on an object store or files in a folder, for readers that have no table format. */
export interface S3SinkSpec {
  /**
   * `s3://bucket/prefix` or `file:///folder`, without a slash at the end; the objects of table `a.b` lie below
   * `<location>/a/b`. A folder is for `bronze run` on one machine: consumers on Kubernetes have none. Immutable.
   */
  readonly location: string
  /** `Parquet`, or `Ndjson`: a line of JSON for each record. Immutable, since readers of a folder expect one. */
  readonly format: 'Parquet' | 'Ndjson'
  /** Compression of NDJSON objects; `Zstd` when absent. The pages of Parquet are always Zstd. */
  readonly compression?: 'Zstd' | 'Gzip'
  /**
   * `Partitioned`: objects below `path`, any number for each commit. What belongs to the table is what the commit
   * objects below `_bronze/` name; a crash may leave objects that none names. `Glob`: one object for each commit of a
   * partition, which appears when the commit is made: what is there belongs to the table. Immutable.
   */
  readonly layout: 'Partitioned' | 'Glob'
  /**
   * Folder of an object below its table: names joined by slashes, none at the ends. `{topic}`, `{partition}`, and of a
   * time in UTC `{yyyy}`, `{MM}`, `{dd}` and `{HH}` are filled in; else a name has letters, digits and `_.=+@~,-`, and
   * begins with neither `_` nor `.`. When absent, `topic={topic}/dt={yyyy}-{MM}-{dd}`, with layout Glob
   * `topic={topic}`; none when empty.
   */
  readonly path?: string
  /**
   * The time in `path`. `IngestedAt`, also when absent: of the commit. `Timestamp`: each record's own, so a commit
   * writes an object for each folder that its records fall in.
   */
  readonly pathTime?: 'IngestedAt' | 'Timestamp'
  /** How to reach the object store, for a location that begins with `s3://`. */
  readonly s3?: S3Spec
}

/**
 * What becomes of records that cannot be written as their table asks. Their bytes, coordinates and the reason are
 * kept.
 */
export interface DeadLettersSpec {
  /**
   * `Table`: a dead-letter table beside each table, exactly once. `Topic`: a Kafka topic, at least once, keyed
   * `topic-partition-offset`. `Inline`: the raw record in the table itself, with the reason in `_error`. `Stop`: the
   * consumer stops with the reason.
   */
  readonly policy: 'Table' | 'Topic' | 'Inline' | 'Stop'
  /**
   * Name of the dead-letter tables, for policy Table; `dlq_{table}` when absent. `{table}` is the last name of the
   * table: with `dlq_{table}`, the dead letters of `bronze.trips` go to `bronze.dlq_trips`.
   */
  readonly table?: string
  /** Name of the dead-letter topics, for policy Topic; `{topic}.dlq` when absent. `{topic}` is the topic of the record. */
  readonly topic?: string
}

/** How many consumers run. */
export interface ScalingSpec {
  /**
   * `Partitions`: min(maxReplicas, ceil(partitions / partitionsPerReplica)). `Lag`: as many as what arrives and what
   * waits need, by what one consumer was seen to write. `External`: `replicas`, which you or an autoscaler set, also
   * through the scale subresource.
   */
  readonly mode: 'Partitions' | 'Lag' | 'External'
  /** Partitions for one consumer, for mode Partitions; 1 when absent. */
  readonly partitionsPerReplica?: number
  /** Most consumers to run, for modes Partitions and Lag; 16 when absent. */
  readonly maxReplicas?: number
  /**
   * Fewest consumers to run, for mode Lag; 1 when absent. `0`: none run when nothing came for `idleTime`; the first
   * record that waits starts them.
   */
  readonly minReplicas?: number
  /**
   * For mode Lag: the time in which a backlog is to be written, beside what arrives meanwhile; between `1s` and `24h`,
   * `10m` when absent.
   */
  readonly catchUpTime?: string
  /**
   * For mode Lag: how long fewer consumers must have been enough before there is one step fewer of them; between `1s`
   * and `24h`, `10m` when absent.
   */
  readonly stabilizationTime?: string
  /**
   * For mode Lag with `minReplicas: 0`: how long nothing must have come, and nothing waited, before no consumer runs;
   * between `1s` and `24h`, `10m` when absent.
   */
  readonly idleTime?: string
  /** Consumers to run, for mode External; 0 is none. */
  readonly replicas?: number
}

/** Settings of the consumers' pods. */
export interface ConsumerSpec {
  /** Image of the consumers. The operator's own when absent. */
  readonly image?: string
  /**
   * Resources of one consumer. When absent, it asks for 100m of processor and 256Mi of memory, 384Mi with the sink
   * snowflake, whose client needs more, and is limited to the memory it asks for. What the limit leaves beside the
   * program, at most a third of it, is for records that wait.
   */
  readonly resources?: ResourcesSpec
  /** Labels of the nodes that may run consumers. */
  readonly nodeSelector?: Readonly<Record<string, string>>
  /** Taints of nodes that consumers tolerate. */
  readonly tolerations?: readonly Toleration[]
  /** Priority class of the pods. */
  readonly priorityClassName?: string
  /** Service account of the pods, for an identity at the object store. One without any permission is made when absent. */
  readonly serviceAccountName?: string
  /** Secrets to pull the image with. */
  readonly imagePullSecrets?: readonly SecretRef[]
  /** Labels added to the pods. */
  readonly labels?: Readonly<Record<string, string>>
  /** Annotations added to the pods. */
  readonly annotations?: Readonly<Record<string, string>>
  /** How long a consumer may take to write what it holds when it is told to stop. */
  readonly terminationGracePeriodSeconds: number
  /**
   * `Manual`: the image stays as it was when the pipeline was created, until `image` is set. `Automatic`: it follows
   * the operator's version.
   */
  readonly upgrade: 'Manual' | 'Automatic'
  /**
   * How changed consumers replace the old ones. `Recreate`: all stop, then all start, two rebalances in all.
   * `Rolling`: one by one, two rebalances for each.
   */
  readonly rollout: 'Recreate' | 'Rolling'
  /**
   * How long changed consumers may take until all of them are ready. After that the last configuration with which all
   * were comes back, and `WorkloadAvailable` says so. With `Rolling` each consumer has this time. Between `10s` and
   * `24h`, `0s` is never; `10m` when absent.
   */
  readonly readyTimeout?: string
  /** Least important kind of line that consumers log. */
  readonly logLevel: 'Debug' | 'Info' | 'Warn' | 'Error'
}

/**
 * Resources of one consumer. When absent, it asks for 100m of processor and 256Mi of memory, 384Mi with the sink
 * snowflake, whose client needs more, and is limited to the memory it asks for. What the limit leaves beside the
 * program, at most a third of it, is for records that wait.
 */
export interface ResourcesSpec {
  /** What is set aside for one consumer. */
  readonly requests?: ResourceList
  /** What one consumer may use at most. */
  readonly limits?: ResourceList
}

/** What is set aside for one consumer. */
export interface ResourceList {
  /** Processor time: `500m`, `2`. */
  readonly cpu?: number | string
  /** Memory: `256Mi`. */
  readonly memory?: number | string
  /** Space on the node's disk: `1Gi`. */
  readonly 'ephemeral-storage'?: number | string
}

/** As in a pod. */
export interface Toleration {
  /** Key of the taint; any when absent. */
  readonly key?: string
  /** How the value is compared. */
  readonly operator?: 'Exists' | 'Equal'
  /** Value of the taint, for Equal. */
  readonly value?: string
  /** Effect of the taint; any when absent. */
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  /** How long NoExecute is tolerated. */
  readonly tolerationSeconds?: number
}

/** What the operator saw. Written when a condition changes or a rounded figure does, at most every 30 seconds. */
export interface BronzePipelineStatus {
  /** Generation of the resource that this status speaks of. */
  readonly observedGeneration?: number
  /**
   * `Ready` is `SpecAccepted`, `SourceReachable`, `SinkReachable` and `WorkloadAvailable` together; lag never affects
   * it. `LagKnown`, `CaughtUp` and `ScalingActive` inform; `Reconciling` and `Stalled` are for tools that follow
   * kstatus.
   */
  readonly conditions?: readonly Condition[]
  /** Short texts for the columns of `kubectl get`; `?` is unknown. */
  readonly summary?: StatusSummary
  /** Consumers that run. */
  readonly replicas?: number
  /** Label selector of the consumers, for the scale subresource. */
  readonly selector?: string
  /** Kafka consumer group of the consumers. */
  readonly groupId?: string
  /** Image the consumers run, frozen unless `consumer.upgrade` is Automatic. */
  readonly image?: string
  /**
   * Image that the consumers have while `consumer.image` is absent: the operator's own, frozen unless
   * `consumer.upgrade` is Automatic.
   */
  readonly defaultImage?: string
  /** Configuration and pod template that consumers are made from. */
  readonly revision?: RevisionStatus
  /** What would be done if `spec.mode` were `Apply`. */
  readonly plan?: PlanStatus
  /** Partitions of all topics. */
  readonly partitions?: number
  /** What mode Lag has to remember; another operator goes on from here. */
  readonly scaling?: ScalingStatus
  /** How far the tables are behind the topics. Absent figures are unknown. */
  readonly lag?: Lag
  /** The 50 entries that are furthest behind. */
  readonly topics?: readonly TopicStatus[]
  /** Entries that are not in `topics`. */
  readonly topicsOmitted?: number
  /** The newest commit of any table. */
  readonly lastCommit?: LastCommit
}

/** One thing that is so, is not so, or is not known. */
export interface Condition {
  /** What the condition is about. */
  readonly type: string
  /** Whether it is so. */
  readonly status: 'True' | 'False' | 'Unknown'
  /** Generation of the resource that the condition speaks of. */
  readonly observedGeneration?: number
  /** When the status last changed. */
  readonly lastTransitionTime: string
  /** One word for machines, in CamelCase. */
  readonly reason: string
  /** What is so, and what to do about it. */
  readonly message: string
}

/** Short texts for the columns of `kubectl get`; `?` is unknown. */
export interface StatusSummary {
  /** Topics read of topics declared: `8`, `3/4`. */
  readonly topics?: string
  /** Kind of sink. */
  readonly sink?: string
  /** Consumers ready of consumers wanted: `3/4`. */
  readonly pods?: string
  /** Records not yet in a table: `12k`. */
  readonly lag?: string
  /** Age of the oldest record not yet in a table: `3m`. */
  readonly behind?: string
  /** Dead letters so far. */
  readonly deadLetters?: string
}

/** Configuration and pod template that consumers are made from. */
export interface RevisionStatus {
  /** The ConfigMap that holds both. */
  readonly name?: string
  /** Whether all consumers have been ready with it since it was applied. */
  readonly healthy?: boolean
  /** The ConfigMap of the last revision with which all consumers were ready. */
  readonly lastHealthy?: string
  /** When `consumer.readyTimeout` began to count; absent when it does not, as when the source does not answer. */
  readonly since?: string
  /**
   * What the spec asks for, and the consumers did not become ready with. It is tried again when the spec asks for
   * something else, or when the pipeline was suspended.
   */
  readonly rolledBack?: RolledBack
}

/**
 * What the spec asks for, and the consumers did not become ready with. It is tried again when the spec asks for
 * something else, or when the pipeline was suspended.
 */
export interface RolledBack {
  /** The ConfigMap of that revision. */
  readonly name?: string
  /** When the last healthy revision came back. */
  readonly time?: string
  /** What was wrong with the consumers, in one word. */
  readonly reason?: string
  /** What they said. */
  readonly message?: string
}

/** What would be done if `spec.mode` were `Apply`. */
export interface PlanStatus {
  /** Generation of the resource that this plan is of. */
  readonly generation?: number
  /** The plan in one sentence. */
  readonly message?: string
  /** Objects that would be created, changed or deleted, in this order. */
  readonly changes?: readonly PlannedObject[]
}

/** One of them. */
export interface PlannedObject {
  /** What would be done. */
  readonly do: 'Create' | 'Change' | 'Delete'
  /** Kind of the object. */
  readonly kind: string
  /** Its name. */
  readonly name: string
  /** Lines that go begin with `-`, lines that come with `+`; cut after 4 KiB. `kubectl bronze plan` shows all of them. */
  readonly diff?: readonly string[]
  /** Why the API server would not take the object. */
  readonly refusal?: string
}

/** What mode Lag has to remember; another operator goes on from here. */
export interface ScalingStatus {
  /** When the number of consumers was last changed. */
  readonly lastChangeTime?: string
  /** Since when fewer consumers would have been enough. */
  readonly belowSince?: string
  /** Since when nothing has come and nothing has waited. */
  readonly idleSince?: string
  /** Records per second that one consumer was seen to write under load, to two digits; absent until then. */
  readonly recordsPerSecond?: number
  /** When that was last seen. */
  readonly measuredTime?: string
  /** Times in a row that more consumers did not write more. */
  readonly ineffectiveTries?: number
  /** The last increase, until it is seen whether it helped. */
  readonly attempt?: ScalingAttempt
}

/** The last increase, until it is seen whether it helped. */
export interface ScalingAttempt {
  /** Consumers before it. */
  readonly replicas: number
  /** Records per second that all of them wrote before it. */
  readonly recordsPerSecond: number
}

/** How far the tables are behind the topics. Absent figures are unknown. */
export interface Lag {
  /**
   * Records not yet in a table: last stable offset less the larger of committed offset and log start, over all
   * partitions.
   */
  readonly records?: number
  /** Age of the oldest record not yet in a table; 0 when there is none. */
  readonly seconds?: number
}

/** Figures of one entry of `spec.topics`. */
export interface TopicStatus {
  /** Name of the entry. */
  readonly name: string
  /** The table it is written to. */
  readonly table?: string
  /** Partitions of its topics. */
  readonly partitions?: number
  /** Records not yet in the table; absent when unknown. */
  readonly lag?: number
  /** Age of the oldest record not yet in the table: `3m`; `?` when unknown. */
  readonly behind?: string
  /** Sum over the partitions of the next offsets to read, as reported to the group. */
  readonly committed?: number
  /** When the table last took a commit of these topics. */
  readonly lastCommitTime?: string
  /** Dead letters so far. */
  readonly deadLetters?: number
}

/** The newest commit of any table. */
export interface LastCommit {
  /** When it was made. */
  readonly time?: string
  /** Which table took it. */
  readonly table?: string
  /** The table's version after it. */
  readonly version?: string
}

/** The part of Kubernetes' ObjectMeta that we read. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}
