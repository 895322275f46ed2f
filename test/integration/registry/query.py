"""Prints the rows of a query in DuckDB as JSON. Argument: the query."""

import json
import sys

import duckdb

print(json.dumps(duckdb.connect().execute(sys.argv[1]).fetchall()))
