"""Rows and distinct records of Delta tables: count.py LOCATION OPTIONS_JSON TABLE ..."""
import json
import os
import sys

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

location, options, tables = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
counts = {}
for table in tables:
    try:
        rows = DeltaTable(f"{location}/{table}", storage_options=options).to_pyarrow_table(
            columns=["_kafka_partition", "_kafka_offset"]
        )
    except Exception as error:
        if "TableNotFound" not in type(error).__name__:
            raise
        counts[table] = {"rows": 0, "distinct": 0}
        continue
    partitions = rows["_kafka_partition"].cast(pa.int64())
    records = pc.add(pc.multiply(partitions, 2**40), rows["_kafka_offset"].cast(pa.int64()))
    counts[table] = {"rows": rows.num_rows, "distinct": pc.count_distinct(records).as_py()}
print(json.dumps(counts), flush=True)
# Arrow's threads sometimes abort the interpreter while it ends ("terminate called without an active exception").
os._exit(0)
