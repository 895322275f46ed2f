-- From the table of clickstream-delta.yaml to silver and gold, in DuckDB. The events are JSON such as
--   {"event_id": "…", "event_time": "2026-01-01T12:00:00Z", "event_type": "purchase", "user_id": "u1", "amount": 12.5}
-- First make the bronze table known, for example:
--   INSTALL delta; LOAD delta;
--   CREATE SCHEMA bronze;
--   CREATE VIEW bronze.clickstream AS SELECT * FROM delta_scan('s3://lake/clickstream/bronze/clickstream');

CREATE SCHEMA IF NOT EXISTS silver;
CREATE SCHEMA IF NOT EXISTS gold;

-- Typed events. What is no JSON or lacks an id or a time stays in bronze, where it can be counted.
CREATE OR REPLACE VIEW silver.parsed AS
SELECT
  json_extract_string(event, '$.event_id') AS event_id,
  CAST(TRY_CAST(json_extract_string(event, '$.event_time') AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS event_time,
  json_extract_string(event, '$.event_type') AS event_type,
  json_extract_string(event, '$.user_id') AS user_id,
  TRY_CAST(json_extract_string(event, '$.amount') AS DECIMAL(18, 2)) AS amount,
  topic, "partition", "offset", kafka_timestamp, ingestion_time
FROM (SELECT *, TRY_CAST(raw_data AS JSON) AS event FROM bronze.clickstream)
WHERE event IS NOT NULL AND event_id IS NOT NULL AND event_time IS NOT NULL;

-- One row for each event_id, the first to arrive. An event is late when, on arrival, a later one of its partition was
-- already more than 15 seconds ahead; late events are flagged, so that gold can leave them out as a streaming job would.
CREATE OR REPLACE VIEW silver.events AS
SELECT
  *,
  coalesce(event_time < max(event_time) OVER (
    PARTITION BY topic, "partition" ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) - INTERVAL 15 SECONDS, false) AS is_late
FROM silver.parsed
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY kafka_timestamp, topic, "partition", "offset") = 1;

-- Figures of each minute: orders, gross merchandise value, users, and how many of the users bought.
CREATE OR REPLACE VIEW gold.kpis_per_minute AS
SELECT
  date_trunc('minute', event_time) AS minute,
  count(*) FILTER (event_type = 'purchase') AS orders,
  coalesce(sum(amount) FILTER (event_type = 'purchase'), 0) AS gmv,
  count(DISTINCT user_id) AS users,
  count(DISTINCT user_id) FILTER (event_type = 'purchase') / nullif(count(DISTINCT user_id), 0) AS conversion
FROM silver.events
WHERE NOT is_late
GROUP BY minute
ORDER BY minute;
