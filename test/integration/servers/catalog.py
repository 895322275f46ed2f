"""Writes a table of three rows, or reads it: python catalog.py write|read PROPERTIES NAMESPACE prints how many rows there are."""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog

verb, properties, namespace = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
catalog = load_catalog("test", **properties)
if verb == "write":
    catalog.create_namespace(namespace)
    rows = pa.table({"id": pa.array([1, 2, 3], pa.int64())})
    catalog.create_table(f"{namespace}.orders", schema=rows.schema).append(rows)
print(catalog.load_table(f"{namespace}.orders").scan().to_arrow().num_rows)
