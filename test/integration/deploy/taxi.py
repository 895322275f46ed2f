"""The tables of the taxi example as pyiceberg and DuckDB see them: taxi.py PROPERTIES_JSON NAMESPACE"""
import json
import os
import sys

import duckdb
from pyiceberg.catalog import load_catalog

properties, namespace = json.loads(sys.argv[1]), sys.argv[2]
catalog = load_catalog("taxi", **properties)


def look(name):
    table = catalog.load_table(f"{namespace}.{name}")
    rows = table.scan().to_arrow()
    count = duckdb.sql("select count(*), count(distinct (kafka_topic, kafka_partition, kafka_offset)) from rows").fetchall()
    partitions = table.inspect.partitions().to_pylist()
    return {
        "columns": {field.name: str(field.field_type) for field in table.schema().fields},
        "rows": count[0][0],
        "distinct": count[0][1],
        "hours": sorted({str(each["partition"]) for each in partitions}),
        "spec": [str(field) for field in table.spec().fields],
    }


trips = catalog.load_table(f"{namespace}.trips").scan().to_arrow()
dead = catalog.load_table(f"{namespace}.dlq_trips").scan().to_arrow()
answer = {name: look(name) for name in ["trips", "weather", "events"]}
answer["quality"] = duckdb.sql(
    "select is_valid_distance, is_valid_fare, round(quality_score, 3), count(*) from trips group by all order by all"
).fetchall()
answer["versions"] = duckdb.sql("select schema_version, count(*) from trips group by all order by all").fetchall()
answer["dead"] = duckdb.sql("select reason, count(*) from dead group by all order by all").fetchall()
print(json.dumps(answer, default=str), flush=True)
# Arrow's threads sometimes abort the interpreter while it ends.
os._exit(0)
