"""Rows that each commit of a table added, by the minute of the commit, as another implementation reads them.

Reads {"kind", ...} from standard input; prints {"<minutes since 1970>": rows, ...}.
"""
import json
import os
import sys
from collections import Counter


def delta(location, options):
    from deltalake import DeltaTable

    minutes, before = Counter(), 0
    newest = DeltaTable(location, storage_options=options)
    for entry in sorted(newest.history(), key=lambda entry: entry["version"]):
        rows = DeltaTable(location, version=entry["version"], storage_options=options).to_pyarrow_dataset().count_rows()
        minutes[entry["timestamp"] // 60_000] += rows - before
        before = rows
    return minutes


def iceberg(properties, table):
    from pyiceberg.catalog import load_catalog

    minutes, before = Counter(), 0
    loaded = load_catalog("lake", **properties).load_table(table)
    for snapshot in sorted(loaded.snapshots(), key=lambda snapshot: snapshot.sequence_number):
        rows = loaded.scan(snapshot_id=snapshot.snapshot_id, selected_fields=("_kafka_offset",)).to_arrow().num_rows
        minutes[snapshot.timestamp_ms // 60_000] += rows - before
        before = rows
    return minutes


def objects(store, folder):
    import pyarrow.dataset as dataset
    from pyarrow.fs import S3FileSystem

    # One file system for all: its end may abort the interpreter.
    found = dataset.dataset(folder, format="parquet", filesystem=S3FileSystem(**store))
    column = found.to_table(columns=["_kafka_offset"])
    return {"0": column.num_rows}


KINDS = {"delta": delta, "iceberg": iceberg, "objects": objects}
request = json.load(sys.stdin)
counts = KINDS[request.pop("kind")](**request)
print(json.dumps({str(minute): rows for minute, rows in counts.items() if rows > 0}), flush=True)
# Arrow's threads sometimes abort the interpreter while it ends ("terminate called without an active exception").
os._exit(0)
