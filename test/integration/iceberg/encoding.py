"""Reads a table from its metadata file and prints what other engines make of it, as JSON."""
import json
import sys

from pyiceberg.table import StaticTable

table = StaticTable.from_metadata(sys.argv[1])
filters = json.loads(sys.argv[2])
rows = table.scan().to_arrow().to_pylist()
snapshot = table.current_snapshot()
entries = [entry for manifest in snapshot.manifests(table.io) for entry in manifest.fetch_manifest_entry(table.io)]
print(json.dumps({
    "rows": [{name: str(value) for name, value in row.items()} for row in sorted(rows, key=lambda row: row["offset"])],
    "found": [[len(list(table.scan(row_filter=each).plan_files())), table.scan(row_filter=each).to_arrow().num_rows] for each in filters],
    "files": len(entries),
    "statuses": sorted({entry.status.name for entry in entries}),
    "sequenceNumbers": sorted({entry.sequence_number for entry in entries}),
    "snapshotIds": len({entry.snapshot_id for entry in entries}),
    "partitions": table.inspect.partitions().num_rows,
    "manifests": len(snapshot.manifests(table.io)),
}))
