"""Rows and distinct coordinates of a table on S3: count.py LOCATION OPTIONS_JSON"""
import json
import os
import sys

from deltalake import DeltaTable

location, options = sys.argv[1], json.loads(sys.argv[2])
rows = DeltaTable(location, storage_options=options).to_pyarrow_table(columns=["_kafka_partition", "_kafka_offset"])
pairs = set(zip(rows["_kafka_partition"].to_pylist(), rows["_kafka_offset"].to_pylist()))
print(json.dumps({"rows": rows.num_rows, "distinct": len(pairs)}), flush=True)
# Arrow's threads sometimes abort the interpreter while it ends ("terminate called without an active exception").
os._exit(0)
