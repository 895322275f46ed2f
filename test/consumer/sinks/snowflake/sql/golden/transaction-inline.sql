-- Mode Transaction, up to 512 KiB of lines: no stage, no temporary table.

BEGIN NAME "BRONZE_0F4A";

INSERT INTO "COMMERCE"."BRONZE"."ORDERS_RAW" ("INGESTION_TIMESTAMP", "RAW_EVENT", "ORDER_ID", "USER_ID")
SELECT
  B."INGESTION_TIMESTAMP"::TIMESTAMP_NTZ,
  TRY_PARSE_JSON(B."RAW_EVENT"),
  B."ORDER_ID",
  B."USER_ID"
FROM (
  SELECT
    F.VALUE:"INGESTION_TIMESTAMP"::VARCHAR AS "INGESTION_TIMESTAMP",
    F.VALUE:"RAW_EVENT"::VARCHAR AS "RAW_EVENT",
    F.VALUE:"_bronze_topic"::VARCHAR AS "_BRONZE_TOPIC",
    F.VALUE:"_bronze_partition"::NUMBER(38,0) AS "_BRONZE_PARTITION",
    F.VALUE:"_bronze_offset"::NUMBER(38,0) AS "_BRONZE_OFFSET",
    F.VALUE:"_bronze_timestamp"::VARCHAR AS "_BRONZE_TIMESTAMP",
    F.VALUE:"ORDER_ID"::VARCHAR AS "ORDER_ID",
    F.VALUE:"USER_ID"::VARCHAR AS "USER_ID"
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
) AS B
WHERE CASE WHEN B."RAW_EVENT" IS NOT NULL AND TRY_PARSE_JSON(B."RAW_EVENT") IS NULL THEN 'RAW_EVENT is no JSON that Snowflake takes' END IS NULL;
--   ?1 "[{\"RAW_EVENT\":\"{\\\"order_id\\\":1}\",\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":100},{\"RAW_EVENT\":null,\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":101}]"

-- When the table did not take all rows; so are the two that follow.
SELECT B."_BRONZE_TOPIC" AS TOPIC, B."_BRONZE_PARTITION" AS PARTITION_ID, COUNT(*) AS REFUSED
FROM (
  SELECT
    F.VALUE:"INGESTION_TIMESTAMP"::VARCHAR AS "INGESTION_TIMESTAMP",
    F.VALUE:"RAW_EVENT"::VARCHAR AS "RAW_EVENT",
    F.VALUE:"_bronze_topic"::VARCHAR AS "_BRONZE_TOPIC",
    F.VALUE:"_bronze_partition"::NUMBER(38,0) AS "_BRONZE_PARTITION",
    F.VALUE:"_bronze_offset"::NUMBER(38,0) AS "_BRONZE_OFFSET",
    F.VALUE:"_bronze_timestamp"::VARCHAR AS "_BRONZE_TIMESTAMP",
    F.VALUE:"ORDER_ID"::VARCHAR AS "ORDER_ID",
    F.VALUE:"USER_ID"::VARCHAR AS "USER_ID"
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
) AS B
WHERE CASE WHEN B."RAW_EVENT" IS NOT NULL AND TRY_PARSE_JSON(B."RAW_EVENT") IS NULL THEN 'RAW_EVENT is no JSON that Snowflake takes' END IS NOT NULL
GROUP BY B."_BRONZE_TOPIC", B."_BRONZE_PARTITION";
--   ?1 "[{\"RAW_EVENT\":\"{\\\"order_id\\\":1}\",\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":100},{\"RAW_EVENT\":null,\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":101}]"

-- As many rows as were counted.
INSERT INTO "COMMERCE"."BRONZE"."ORDERS_RAW_DLQ" ("FAILED_AT", "ERROR_MESSAGE", "RAW_PAYLOAD", "KAFKA_METADATA")
SELECT
  ?::TIMESTAMP_NTZ,
  'RefusedBySnowflake: ' || CASE WHEN B."RAW_EVENT" IS NOT NULL AND TRY_PARSE_JSON(B."RAW_EVENT") IS NULL THEN 'RAW_EVENT is no JSON that Snowflake takes' END,
  COALESCE(TRY_PARSE_JSON(B."RAW_EVENT"), TO_VARIANT(B."RAW_EVENT")),
  OBJECT_CONSTRUCT(
    'topic', B."_BRONZE_TOPIC",
    'partition', B."_BRONZE_PARTITION",
    'offset', B."_BRONZE_OFFSET",
    'last_offset', B."_BRONZE_OFFSET",
    'timestamp', B."_BRONZE_TIMESTAMP",
    'reason', 'RefusedBySnowflake',
    'stage', 'Load',
    'pipeline', ?,
    'consumer_id', ?
  )
FROM (
  SELECT
    F.VALUE:"INGESTION_TIMESTAMP"::VARCHAR AS "INGESTION_TIMESTAMP",
    F.VALUE:"RAW_EVENT"::VARCHAR AS "RAW_EVENT",
    F.VALUE:"_bronze_topic"::VARCHAR AS "_BRONZE_TOPIC",
    F.VALUE:"_bronze_partition"::NUMBER(38,0) AS "_BRONZE_PARTITION",
    F.VALUE:"_bronze_offset"::NUMBER(38,0) AS "_BRONZE_OFFSET",
    F.VALUE:"_bronze_timestamp"::VARCHAR AS "_BRONZE_TIMESTAMP",
    F.VALUE:"ORDER_ID"::VARCHAR AS "ORDER_ID",
    F.VALUE:"USER_ID"::VARCHAR AS "USER_ID"
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
) AS B
WHERE CASE WHEN B."RAW_EVENT" IS NOT NULL AND TRY_PARSE_JSON(B."RAW_EVENT") IS NULL THEN 'RAW_EVENT is no JSON that Snowflake takes' END IS NOT NULL;
--   ?1 "2026-11-21T10:00:05.123"
--   ?2 "commerce/commerce"
--   ?3 "commerce-0"
--   ?4 "[{\"RAW_EVENT\":\"{\\\"order_id\\\":1}\",\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":100},{\"RAW_EVENT\":null,\"INGESTION_TIMESTAMP\":\"2026-11-21T10:00:05.000000Z\",\"_bronze_offset\":101}]"

-- When there are dead letters that the consumer decided.
INSERT INTO "COMMERCE"."BRONZE"."ORDERS_RAW_DLQ" ("FAILED_AT", "ERROR_MESSAGE", "RAW_PAYLOAD", "KAFKA_METADATA")
SELECT
  B."FAILED_AT"::TIMESTAMP_NTZ,
  B."REASON" || ': ' || B."ERROR",
  IFF(TYPEOF(B."VALUE") = 'VARCHAR', COALESCE(TRY_PARSE_JSON(B."VALUE"::VARCHAR), B."VALUE"), STRIP_NULL_VALUE(B."VALUE")),
  OBJECT_CONSTRUCT(
    'topic', B."_KAFKA_TOPIC",
    'partition', B."_KAFKA_PARTITION",
    'offset', B."_KAFKA_OFFSET",
    'last_offset', B."_KAFKA_LAST_OFFSET",
    'timestamp', B."_KAFKA_TIMESTAMP",
    'key', STRIP_NULL_VALUE(B."_KAFKA_KEY"),
    'headers', B."_KAFKA_HEADERS",
    'ingestion_id', B."_INGESTION_ID",
    'reason', B."REASON",
    'stage', B."STAGE",
    'pipeline', B."PIPELINE",
    'consumer_id', B."CONSUMER_ID"
  )
FROM (
  SELECT
    F.VALUE:"_kafka_topic"::VARCHAR AS "_KAFKA_TOPIC",
    F.VALUE:"_kafka_partition"::NUMBER(38,0) AS "_KAFKA_PARTITION",
    F.VALUE:"_kafka_offset"::NUMBER(38,0) AS "_KAFKA_OFFSET",
    F.VALUE:"_kafka_last_offset"::NUMBER(38,0) AS "_KAFKA_LAST_OFFSET",
    F.VALUE:"_kafka_timestamp"::VARCHAR AS "_KAFKA_TIMESTAMP",
    F.VALUE:"_kafka_key" AS "_KAFKA_KEY",
    F.VALUE:"_kafka_headers" AS "_KAFKA_HEADERS",
    F.VALUE:"value" AS "VALUE",
    F.VALUE:"_ingestion_id"::VARCHAR AS "_INGESTION_ID",
    F.VALUE:"failed_at"::VARCHAR AS "FAILED_AT",
    F.VALUE:"reason"::VARCHAR AS "REASON",
    F.VALUE:"stage"::VARCHAR AS "STAGE",
    F.VALUE:"error"::VARCHAR AS "ERROR",
    F.VALUE:"pipeline"::VARCHAR AS "PIPELINE",
    F.VALUE:"consumer_id"::VARCHAR AS "CONSUMER_ID"
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
) AS B;
--   ?1 "[{\"_kafka_topic\":\"raw.orders.v1\",\"_kafka_offset\":102}]"

INSERT INTO "COMMERCE"."BRONZE"."ORDERS_RAW_BRONZE_COMMITS" (COMMIT_ID, COMMITTED_AT, PIPELINE, CONSUMER_ID, TOPIC, TOPIC_ID, PARTITION_ID, EPOCH, FROM_OFFSET, NEXT_OFFSET, RECORDS, DEAD_LETTERS)
SELECT
  F.VALUE:"commitId"::VARCHAR, ?::TIMESTAMP_NTZ, ?, ?,
  F.VALUE:"topic"::VARCHAR, F.VALUE:"topicId"::VARCHAR,
  F.VALUE:"partition"::NUMBER(38,0), F.VALUE:"epoch"::NUMBER(38,0),
  F.VALUE:"from"::NUMBER(38,0), F.VALUE:"next"::NUMBER(38,0),
  F.VALUE:"records"::NUMBER(38,0), F.VALUE:"deadLetters"::NUMBER(38,0)
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F;
--   ?1 "2026-11-21T10:00:05.123"
--   ?2 "commerce/commerce"
--   ?3 "commerce-0"
--   ?4 "[{\"commitId\":\"c-7\",\"topic\":\"raw.orders.v1\",\"topicId\":\"b7Kz0Q3mT7Kx1uH5oE9pLw\",\"partition\":0,\"epoch\":0,\"from\":100,\"next\":103,\"records\":3,\"deadLetters\":0},{\"commitId\":\"c-7\",\"topic\":\"raw.orders.v1\",\"topicId\":\"b7Kz0Q3mT7Kx1uH5oE9pLw\",\"partition\":1,\"epoch\":0,\"next\":2,\"records\":2,\"deadLetters\":0}]"

-- One row or more, else ROLLBACK: nothing is locked.
UPDATE "COMMERCE"."BRONZE"."ORDERS_RAW_BRONZE_OFFSETS" SET COMMIT_ID = ?, COMMITTED_AT = ?::TIMESTAMP_NTZ WHERE TOPIC = '';
--   ?1 "c-7"
--   ?2 "2026-11-21T10:00:05.123"

-- 2 rows, else somebody else was here.
MERGE INTO "COMMERCE"."BRONZE"."ORDERS_RAW_BRONZE_OFFSETS" AS L
USING (
  SELECT
    F.VALUE:"topic"::VARCHAR AS TOPIC,
    F.VALUE:"topicId"::VARCHAR AS TOPIC_ID,
    F.VALUE:"partition"::NUMBER(38,0) AS PARTITION_ID,
    F.VALUE:"epoch"::NUMBER(38,0) AS EPOCH,
    F.VALUE:"expected"::NUMBER(38,0) AS EXPECTED,
    F.VALUE:"next"::NUMBER(38,0) AS NEXT_OFFSET
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
) AS K
ON L.TOPIC = K.TOPIC AND L.TOPIC_ID = K.TOPIC_ID AND L.PARTITION_ID = K.PARTITION_ID AND L.EPOCH = K.EPOCH
WHEN MATCHED AND L.NEXT_OFFSET = K.EXPECTED THEN UPDATE SET
  NEXT_OFFSET = K.NEXT_OFFSET, COMMIT_ID = ?, COMMITTED_AT = ?::TIMESTAMP_NTZ, PIPELINE = ?, PIPELINE_CREATED_AT = ?, CONSUMER_ID = ?
WHEN NOT MATCHED AND K.EXPECTED IS NULL THEN INSERT (TOPIC, TOPIC_ID, PARTITION_ID, EPOCH, NEXT_OFFSET, COMMIT_ID, COMMITTED_AT, PIPELINE, PIPELINE_CREATED_AT, CONSUMER_ID)
VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, K.NEXT_OFFSET, ?, ?::TIMESTAMP_NTZ, ?, ?, ?);
--   ?1 "[{\"topic\":\"raw.orders.v1\",\"topicId\":\"b7Kz0Q3mT7Kx1uH5oE9pLw\",\"epoch\":0,\"partition\":0,\"expected\":100,\"next\":103},{\"topic\":\"raw.orders.v1\",\"topicId\":\"b7Kz0Q3mT7Kx1uH5oE9pLw\",\"epoch\":0,\"partition\":1,\"next\":2}]"
--   ?2 "c-7"
--   ?3 "2026-11-21T10:00:05.123"
--   ?4 "commerce/commerce"
--   ?5 "2026-11-21T09:00:00Z"
--   ?6 "commerce-0"
--   ?7 "c-7"
--   ?8 "2026-11-21T10:00:05.123"
--   ?9 "commerce/commerce"
--   ?10 "2026-11-21T09:00:00Z"
--   ?11 "commerce-0"

COMMIT;
