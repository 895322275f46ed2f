-- NDJSON (Gzip) objects in topic={topic}/dt={yyyy}-{MM}-{dd}/hour={HH}/, by Timestamp; layout Partitioned.
CREATE TABLE raw.shop (
  _kafka_topic     string,
  _kafka_partition int,
  _kafka_offset    long,
  _kafka_timestamp timestamp,
  _kafka_key       binary,
  headers          list<struct<key: string, value: binary>>,
  _ingested_at     timestamp,
  _ingestion_id    string,
  event            json
)
LOCATION 's3://acme-landing/kafka/raw/shop';

-- NDJSON (Gzip) objects in topic={topic}/dt={yyyy}-{MM}-{dd}/hour={HH}/, by IngestedAt; layout Partitioned.
CREATE TABLE raw.dlq_shop (
  _kafka_topic       string,
  _kafka_partition   int,
  _kafka_offset      long,  -- Offset of the record, or of the first record of a batch that cannot be read.
  _kafka_last_offset long,  -- The last offset the row stands for: above _kafka_offset for a batch.
  _kafka_timestamp   timestamp,
  _kafka_key         binary,
  _kafka_headers     list<struct<key: string, value: binary>>,
  value              binary,  -- The bytes as they came: the value, or a whole batch.
  _ingestion_id      string,  -- topic-partition-offset
  failed_at          timestamp,
  reason             string,  -- In one word, such as InvalidJson or IncompatibleSchema.
  stage              string,  -- Decompress, Parse or Lift.
  error              string,
  pipeline           string,  -- namespace/name
  consumer_id        string
)
LOCATION 's3://acme-landing/kafka/raw/dlq_shop';
