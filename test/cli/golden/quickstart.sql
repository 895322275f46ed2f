CREATE TABLE bronze.events (
  _kafka_topic     string,
  _kafka_partition int,
  _kafka_offset    bigint,
  _kafka_timestamp timestamp,
  _kafka_key       binary,
  _kafka_headers   array<struct<key: string, value: binary>>,
  _ingested_at     timestamp,
  _ingestion_date  date,
  _ingestion_id    string,
  _consumer_id     string,
  value            binary
)
USING delta
PARTITIONED BY (_ingestion_date)
LOCATION 'file:///tmp/bronze/bronze/events';

CREATE TABLE bronze.dlq_events (
  _kafka_topic       string,
  _kafka_partition   int,
  _kafka_offset      bigint,  -- Offset of the record, or of the first record of a batch that cannot be read.
  _kafka_last_offset bigint,  -- The last offset the row stands for: above _kafka_offset for a batch.
  _kafka_timestamp   timestamp,
  _kafka_key         binary,
  _kafka_headers     array<struct<key: string, value: binary>>,
  value              binary,  -- The bytes as they came: the value, or a whole batch.
  _ingestion_id      string,  -- topic-partition-offset
  failed_at          timestamp,
  reason             string,  -- In one word, such as InvalidJson or IncompatibleSchema.
  stage              string,  -- Decompress, Parse or Lift.
  error              string,
  pipeline           string,  -- namespace/name
  consumer_id        string
)
USING delta
LOCATION 'file:///tmp/bronze/bronze/dlq_events';
