CREATE TABLE bronze.clickstream (
  topic           string,
  partition       int,
  offset          bigint,
  kafka_timestamp timestamp,
  kafka_key       string,
  ingestion_time  timestamp,
  raw_data        string
)
USING delta
LOCATION 's3://lake/clickstream/bronze/clickstream';

CREATE TABLE bronze.dlq_clickstream (
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
LOCATION 's3://lake/clickstream/bronze/dlq_clickstream';
