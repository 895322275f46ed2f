"""Does one thing to a Delta table with delta-rs and prints what it sees as one line of JSON.

Arguments: what to do, the table's URI, storage options as JSON, and what the thing needs as JSON.
"""

import json
import os
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

verb, uri, options, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])


def read():
    """Every offset as DuckDB counts it, and how many files are left to read for the offsets from `offset` on."""
    table = DeltaTable(uri, storage_options=options)
    dataset = table.to_pyarrow_dataset()
    offsets = duckdb.sql(
        "select _kafka_partition, count(*), count(distinct _kafka_offset), min(_kafka_offset), max(_kafka_offset)"
        " from dataset group by all order by all"
    ).fetchall()
    wanted = pc.field("_kafka_offset") >= given.get("offset", 0)
    return {
        "version": table.version(),
        "files": len(table.file_uris()),
        "filesToRead": len(list(dataset.get_fragments(filter=wanted))),
        "offsets": offsets,
        "rows": table.to_pyarrow_table().num_rows,
        "columns": [field.name for field in table.schema().fields],
        "partitions": table.metadata().partition_columns,
        "dates": sorted({str(each) for each in dataset.to_table().column("_ingestion_date").to_pylist()})
        if "_ingestion_date" in dataset.schema.names
        else [],
        "protocol": [table.protocol().min_reader_version, table.protocol().min_writer_version],
        "transactions": {each: table.transaction_version(each) for each in given.get("transactions", [])},
    }


def checkpoint():
    DeltaTable(uri, storage_options=options).create_checkpoint()
    return {}


def compact():
    return DeltaTable(uri, storage_options=options).optimize.compact()


def delete():
    return DeltaTable(uri, storage_options=options).delete(given["predicate"])


def restore():
    return DeltaTable(uri, storage_options=options).restore(given["version"])


def append():
    """A row of another writer: only the columns that it knows."""
    row = pa.table({"_kafka_partition": pa.array([99], pa.int32()), "_kafka_offset": pa.array([1], pa.int64())})
    write_deltalake(uri, row, mode="append", storage_options=options, schema_mode="merge")
    return {}


def create():
    """An older table of somebody else's with a few of our columns, and one of its own."""
    rows = pa.table(
        {
            "_kafka_partition": pa.array([0], pa.int32()),
            "_kafka_offset": pa.array([-1], pa.int64()),
            "value": pa.array([given.get("value", "old")]),
            "own": pa.array([1.5]),
        }
    )
    write_deltalake(uri, rows, storage_options=options, configuration=given.get("configuration"))
    return {}


VERBS = {
    "read": read,
    "checkpoint": checkpoint,
    "compact": compact,
    "delete": delete,
    "restore": restore,
    "append": append,
    "create": create,
}

print(json.dumps(VERBS[verb](), default=str), flush=True)
# Threads of Arrow that are still reading ahead abort the interpreter when it ends in the ordinary way.
os._exit(0)
