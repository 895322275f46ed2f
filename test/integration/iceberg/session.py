"""Does to Iceberg tables what it is told, with pyiceberg, until its input ends: python session.py PROPERTIES.

Reads one command per line, [verb, table, what the verb needs], and answers each with one line: {"answer": ...} or {"error": ...}.
Snapshot ids are strings: they have 64 bits.
"""

import json
import sys
import traceback

import duckdb
import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import _OverwriteFiles
from pyiceberg.types import DoubleType, LongType, StringType

catalog = load_catalog("test", **json.loads(sys.argv[1]))
TYPES = {"string": StringType(), "long": LongType(), "double": DoubleType()}
prepared = {}


def read(table, given):
    """Every offset as DuckDB counts it, and how many files are left to read for the rows of a `filter`."""
    metadata = table.metadata
    rows = table.scan().to_arrow()
    snapshot = table.current_snapshot()
    return {
        "offsets": duckdb.sql(
            "select _kafka_partition, count(*), count(distinct _kafka_offset), min(_kafka_offset), max(_kafka_offset)"
            " from rows group by all order by all"
        ).fetchall(),
        "rows": rows.num_rows,
        "columns": {field.name: str(field.field_type) for field in table.schema().fields},
        "partitions": [str(field) for field in table.spec().fields],
        "sortOrder": [str(field) for field in table.sort_order().fields],
        "formatVersion": metadata.format_version,
        "files": len(list(table.scan().plan_files())),
        "filesToRead": [len(list(table.scan(row_filter=each).plan_files())) for each in given.get("filters", [])],
        "rowsFound": [table.scan(row_filter=each).to_arrow().num_rows for each in given.get("filters", [])],
        "snapshotId": None if snapshot is None else str(snapshot.snapshot_id),
        "summary": {} if snapshot is None else {"operation": snapshot.summary.operation.value, **snapshot.summary.additional_properties},
        "snapshots": [str(each.snapshot_id) for each in metadata.snapshots],
        "metadataLocation": table.metadata_location,
    }


def metadata(table, given):
    """How large the table's metadata is."""
    with table.io.new_input(table.metadata_location).open() as file:
        size = len(file.read())
    manifests = len(table.current_snapshot().manifests(table.io))
    return {"metadataBytes": size, "snapshots": len(table.metadata.snapshots), "manifests": manifests}


def sql(table, given):
    """What DuckDB answers about the table, which it calls `rows`."""
    rows = table.scan().to_arrow()
    return duckdb.sql(given["query"]).fetchall()


def create(table, given):
    """A table of somebody else's: a few of our columns, and one of its own."""
    namespace, rows = given["name"].rsplit(".", 1)[0], foreign_row(given.get("value", "old"))
    catalog.create_namespace_if_not_exists(namespace)
    catalog.create_table(given["name"], schema=rows.schema, properties=given.get("properties", {})).append(rows)


def foreign_row(value):
    return pa.table(
        {
            "_kafka_partition": pa.array([0], pa.int32()),
            "_kafka_offset": pa.array([-1], pa.int64()),
            "value": pa.array([value]),
            "own": pa.array([1.5]),
        }
    )


def append(table, given):
    """A row like one that is there, of a partition that no topic has."""
    row = table.scan(limit=1).to_arrow()
    index = row.schema.get_field_index("_kafka_partition")
    table.append(row.set_column(index, row.schema.field(index), pa.array([99], row.schema.field(index).type)))


def evolve(table, given):
    with table.update_schema() as update:
        for name, kind in given.get("add", {}).items():
            update.add_column(name, TYPES[kind])
        for name, new in given.get("rename", {}).items():
            update.rename_column(name, new)
        for name, kind in given.get("widen", {}).items():
            update.update_column(name, field_type=TYPES[kind])
        for name in given.get("drop", []):
            update.delete_column(name)


def repartition(table, given):
    with table.update_spec() as update:
        update.add_identity(given["by"])


def tag(table, given):
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, given["tag"]).commit()


def rollback(table, given):
    table.manage_snapshots().rollback_to_snapshot(int(given["to"])).commit()


def expire(table, given):
    """All snapshots but those that a branch or a tag names."""
    kept = {each.snapshot_id for each in table.metadata.refs.values()}
    others = [each.snapshot_id for each in table.metadata.snapshots if each.snapshot_id not in kept]
    if others:
        table.maintenance.expire_snapshots().by_ids(others).commit()
    return len(others)


class Replace(_OverwriteFiles):
    """Compaction. Of what pyiceberg has, an overwrite is the nearest; but files that others add meanwhile do not disturb it.

    That the files it replaces are still there is looked at in each attempt.
    """

    def _validate_concurrency(self):
        pass

    def _summary(self, *given):
        return Summary(Operation.REPLACE, **super()._summary(*given).additional_properties)


def prepare(table, given):
    """Rewrites all files of the table into one per partition, and keeps the commit for later."""
    files = [task.file for task in table.scan().plan_files()]
    transaction = table.transaction()
    producer = Replace(Operation.OVERWRITE, transaction, table.io)
    for file in files:
        producer.delete_data_file(file)
    for file in _dataframe_to_data_files(table.metadata, table.scan().to_arrow(), table.io):
        producer.append_data_file(file)
    producer.commit()
    prepared[table.name()] = transaction
    return {"base": str(table.metadata.current_snapshot_id), "files": len(files)}


def complete(table, given):
    prepared.pop(table.name()).commit_transaction()


VERBS = {
    "read": read,
    "metadata": metadata,
    "sql": sql,
    "create": create,
    "append": append,
    "evolve": evolve,
    "repartition": repartition,
    "tag": tag,
    "rollback": rollback,
    "expire": expire,
    "prepare": prepare,
    "complete": complete,
}

for line in sys.stdin:
    verb, name, given = json.loads(line)
    try:
        table = None if verb == "create" else catalog.load_table(name)
        answer = {"answer": VERBS[verb](table, {"name": name, **given})}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer, default=str), flush=True)
