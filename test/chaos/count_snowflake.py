"""Counts what lies in the Snowflake stand-in's tables and their dead-letter tables, by DuckDB from its `file`."""

import duckdb

from counting import count

# Of a dead letter, the coordinates are members of its metadata.
MEMBERS = {"_kafka_topic": "->> 'topic')::text", "_kafka_partition": "->> 'partition')::int", "_kafka_offset": "->> 'offset')::bigint"}


def rows(job, path, columns):
    schema, table = path.upper().split(".")
    name = f'"{job["database"]}.{schema}"."{table}"'
    is_dead = path in [each["deadLetters"] for each in job["tables"]]
    chosen = [f"(kafka_metadata {MEMBERS[column]} as {column}" if is_dead else f"{column}" for column in columns]
    with duckdb.connect(job["file"]) as db:
        return db.execute(f"select {', '.join(chosen)} from {name}").to_arrow_table()


count(rows)
