"""Reads tables of an Iceberg REST catalog with Spark: python read_iceberg.py JARS URI NAMESPACE... prints JSON lines.

Then compacts each table, as its owner might do, adds a row, and reads it again.
"""

import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

jars, uri, *namespaces = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(os.path.join(jars, name) for name in sorted(os.listdir(jars)) if name.endswith(".jar")))
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.lake.type", "rest")
    .config("spark.sql.catalog.lake.uri", uri)
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def read(table):
    """A row group counts as much as a split can hold: so none is read together with another."""
    return spark.read.option("file-open-cost", str(2**30)).option("split-size", str(2**27)).format("iceberg").load(table)


def row_groups_read(frame):
    """How many row groups Spark reads for a query, after it has pruned files by partitions and statistics."""
    return frame.rdd.getNumPartitions()


for namespace in namespaces:
    for name in ("orders", "dlq_orders"):
        table = f"lake.{namespace}.{name}"
        frame = read(table)
        newest = frame.agg(F.max("_kafka_offset")).first()[0]
        last = frame.where(F.col("_kafka_offset") == newest)
        print(
            json.dumps(
                {
                    "table": f"{namespace}.{name}",
                    "rows": frame.count(),
                    "distinctKeys": frame.select("_kafka_topic", "_kafka_partition", "_kafka_offset").distinct().count(),
                    # Every column is read, headers and all.
                    "checksum": frame.select(F.sum(F.xxhash64(*[F.to_json(F.struct("*"))]) % 1000003)).first()[0],
                    "lastOffsetRows": last.count(),
                    "rowGroups": row_groups_read(frame),
                    "rowGroupsForLastOffset": row_groups_read(last),
                    "snapshots": spark.table(f"{table}.snapshots").count(),
                    "columns": {field.name: field.dataType.simpleString() for field in frame.schema},
                }
            ),
            flush=True,
        )
    table = f"{namespace}.orders"
    frame_columns = spark.table(f"lake.{table}").columns
    rewritten = spark.sql(f"CALL lake.system.rewrite_data_files(table => '{table}')").first()
    spark.sql(f"CALL lake.system.rewrite_manifests(table => '{table}')").collect()
    columns = ", ".join("99 AS _kafka_partition" if name == "_kafka_partition" else name for name in frame_columns)
    spark.sql(f"INSERT INTO lake.{table} SELECT {columns} FROM lake.{table} LIMIT 1")
    after = read(f"lake.{table}")
    answer = {"table": table, "rewrittenFiles": rewritten[0], "rows": after.count(), "rowGroups": row_groups_read(after)}
    if spark.sql(f"SHOW TBLPROPERTIES lake.{table}").where("key = 'format-version'").first()[1] == "3":
        answer["rowIds"] = spark.table(f"lake.{table}").select("_row_id").distinct().count()
    print(json.dumps(answer), flush=True)
