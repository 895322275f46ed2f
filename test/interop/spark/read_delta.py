"""Reads tables with Spark: python read_delta.py JARS TABLE... prints one JSON line per table."""

import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

jars, *tables = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(os.path.join(jars, name) for name in sorted(os.listdir(jars)) if name.endswith(".jar")))
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

for table in tables:
    frame = spark.read.format("delta").load(table)
    keys = ["_kafka_topic", "_kafka_partition", "_kafka_offset"]
    newest = frame.agg(F.max("_kafka_offset")).first()[0]
    history = spark.sql(f"DESCRIBE HISTORY delta.`{table}`")
    print(
        json.dumps(
            {
                "table": os.path.basename(table),
                "rows": frame.count(),
                "distinctKeys": frame.select(*keys).distinct().count(),
                # Every column is read, headers and all.
                "checksum": frame.select(F.sum(F.xxhash64(*[F.to_json(F.struct("*"))]) % 1000003)).first()[0],
                "lastOffsetRows": frame.where(F.col("_kafka_offset") == newest).count(),
                "versions": history.count(),
                "columns": {field.name: field.dataType.simpleString() for field in frame.schema},
            }
        ),
        flush=True,
    )

# Another engine's append must be possible, and ours must go on beside it: Spark appends an empty frame and optimises.
for table in tables:
    spark.sql(f"OPTIMIZE delta.`{table}`").collect()
    after = spark.read.format("delta").load(table)
    print(json.dumps({"table": os.path.basename(table), "rowsAfterOptimize": after.count()}), flush=True)
