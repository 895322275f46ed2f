"""Runs an example of the documentation and prints the rows it gives as JSON: (topic, partition, rows, greatest offset) of each partition.

Arguments: the language, and for PyArrow the options of an S3 server as JSON, or nothing for the local file system. The example comes from
standard input. What Python leaves in `rows` is a table of PyArrow.
"""

import json
import sys

import duckdb
from pyarrow import fs

language, options, text = sys.argv[1], sys.argv[2], sys.stdin.read()
db = duckdb.connect()
if language == "sql":
    found = db.execute(text).fetchall()
else:
    if options:
        store = fs.S3FileSystem(**json.loads(options))
        text = text.replace("fs.LocalFileSystem()", "store")
    names = {"store": store} if options else {}
    exec(compile(text, "example", "exec"), names)
    rows = names["rows"]
    found = db.execute(
        "select topic, _kafka_partition, count(*), max(_kafka_offset) from rows group by all order by all"
    ).fetchall()
print(json.dumps([[str(each) if isinstance(each, bytes) else each for each in row] for row in found]))
