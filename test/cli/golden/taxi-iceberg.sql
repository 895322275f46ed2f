-- Each field of the values becomes a column when it first comes.
-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.trips (
  kafka_topic            string,
  kafka_partition        int,
  kafka_offset           long,
  kafka_timestamp        timestamptz,
  bronze_processing_time timestamptz,
  consumer_id            string,
  schema_version         int,
  is_valid_distance      boolean,
  is_valid_fare          boolean,
  quality_score          double
)
USING iceberg
PARTITIONED BY (hour(kafka_timestamp))
ORDERED BY (kafka_topic, kafka_partition, kafka_offset)
TBLPROPERTIES ('format-version' = '2');

-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.dlq_trips (
  _kafka_topic       string,
  _kafka_partition   int,
  _kafka_offset      long,  -- Offset of the record, or of the first record of a batch that cannot be read.
  _kafka_last_offset long,  -- The last offset the row stands for: above _kafka_offset for a batch.
  _kafka_timestamp   timestamptz,
  _kafka_key         binary,
  _kafka_headers     list<struct<key: string, value: binary>>,
  value              binary,  -- The bytes as they came: the value, or a whole batch.
  _ingestion_id      string,  -- topic-partition-offset
  failed_at          timestamptz,
  reason             string,  -- In one word, such as InvalidJson or IncompatibleSchema.
  stage              string,  -- Decompress, Parse or Lift.
  error              string,
  pipeline           string,  -- namespace/name
  consumer_id        string
)
USING iceberg
TBLPROPERTIES ('format-version' = '2');

-- Each field of the values becomes a column when it first comes.
-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.weather (
  kafka_topic            string,
  kafka_partition        int,
  kafka_offset           long,
  kafka_timestamp        timestamptz,
  bronze_processing_time timestamptz,
  consumer_id            string,
  schema_version         int
)
USING iceberg
PARTITIONED BY (hour(kafka_timestamp))
ORDERED BY (kafka_topic, kafka_partition, kafka_offset)
TBLPROPERTIES ('format-version' = '2');

-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.dlq_weather (
  _kafka_topic       string,
  _kafka_partition   int,
  _kafka_offset      long,  -- Offset of the record, or of the first record of a batch that cannot be read.
  _kafka_last_offset long,  -- The last offset the row stands for: above _kafka_offset for a batch.
  _kafka_timestamp   timestamptz,
  _kafka_key         binary,
  _kafka_headers     list<struct<key: string, value: binary>>,
  value              binary,  -- The bytes as they came: the value, or a whole batch.
  _ingestion_id      string,  -- topic-partition-offset
  failed_at          timestamptz,
  reason             string,  -- In one word, such as InvalidJson or IncompatibleSchema.
  stage              string,  -- Decompress, Parse or Lift.
  error              string,
  pipeline           string,  -- namespace/name
  consumer_id        string
)
USING iceberg
TBLPROPERTIES ('format-version' = '2');

-- Each field of the values becomes a column when it first comes.
-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.events (
  kafka_topic            string,
  kafka_partition        int,
  kafka_offset           long,
  kafka_timestamp        timestamptz,
  bronze_processing_time timestamptz,
  consumer_id            string,
  schema_version         int
)
USING iceberg
PARTITIONED BY (hour(kafka_timestamp))
ORDERED BY (kafka_topic, kafka_partition, kafka_offset)
TBLPROPERTIES ('format-version' = '2');

-- In the catalog http://iceberg-catalog.taxi.svc:8181.
CREATE TABLE bronze.dlq_events (
  _kafka_topic       string,
  _kafka_partition   int,
  _kafka_offset      long,  -- Offset of the record, or of the first record of a batch that cannot be read.
  _kafka_last_offset long,  -- The last offset the row stands for: above _kafka_offset for a batch.
  _kafka_timestamp   timestamptz,
  _kafka_key         binary,
  _kafka_headers     list<struct<key: string, value: binary>>,
  value              binary,  -- The bytes as they came: the value, or a whole batch.
  _ingestion_id      string,  -- topic-partition-offset
  failed_at          timestamptz,
  reason             string,  -- In one word, such as InvalidJson or IncompatibleSchema.
  stage              string,  -- Decompress, Parse or Lift.
  error              string,
  pipeline           string,  -- namespace/name
  consumer_id        string
)
USING iceberg
TBLPROPERTIES ('format-version' = '2');
