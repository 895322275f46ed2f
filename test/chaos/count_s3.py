"""Counts what lies in tables of objects, by PyArrow: of layout Partitioned what commit objects name, of layout Glob what is there.

`location` is where the tables lie; `store` has the options of the S3 server, none for a folder.
"""

import json

import pyarrow as pa
from pyarrow import dataset, fs
from pyarrow import json as lines

from counting import count

TYPES = {"_kafka_topic": pa.string(), "_kafka_partition": pa.int32(), "_kafka_offset": pa.int64(), "id": pa.string()}
SUFFIXES = (".parquet", ".ndjson.zst", ".ndjson.gz")


def place(job):
    """The file system and the root of the tables in it."""
    if job.get("store"):
        return fs.S3FileSystem(**job["store"]), job["location"].removeprefix("s3://")
    return fs.LocalFileSystem(), job["location"]


def paths(files, root, folder):
    found = files.get_file_info(fs.FileSelector(f"{root}/{folder}", recursive=True, allow_not_found=True))
    return [each.path for each in found if each.type == fs.FileType.File]


def committed(files, root, job, table):
    """The objects that commits name: those of a dead-letter table are named by the table that it belongs to."""
    main = next(each["path"] for each in job["tables"] if table in (each["path"], each["deadLetters"]))
    for path in paths(files, root, f"{main.replace('.', '/')}/_bronze/commits"):
        with files.open_input_stream(path) as stream:
            commit = json.load(stream)
        named = commit["objects"] if table == main else [each for each in commit["deadLetters"] if each["table"] == table]
        yield from (f"{root}/{each['path']}" for each in named)


def rows_in(files, path, columns):
    schema = pa.schema([(name, TYPES[name]) for name in columns])
    if path.endswith(".parquet"):
        return dataset.dataset(path, filesystem=files, format="parquet").to_table(columns=columns).cast(schema)
    options = lines.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    codec = "zstd" if path.endswith(".zst") else "gzip"
    with files.open_input_stream(path, compression=codec) as stream:
        return lines.read_json(stream, parse_options=options).select(columns)


def rows(job, table, columns):
    files, root = place(job)
    if job["layout"] == "Glob":
        found = [path for path in paths(files, root, table.replace(".", "/")) if path.endswith(SUFFIXES)]
    else:
        found = list(committed(files, root, job, table))
    empty = pa.schema([(name, TYPES[name]) for name in columns]).empty_table()
    return pa.concat_tables([empty, *(rows_in(files, path, columns) for path in found)])


count(rows)
