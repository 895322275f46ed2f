"""Reads a file of lines of JSON with DuckDB and prints each row as JSON text: once with the columns' types told, once without.

The first argument is the file, the second a JSON object of column names and DuckDB types.
"""

import json
import sys

import duckdb

path, columns = sys.argv[1], json.loads(sys.argv[2])
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
typed = connection.read_json(path, format="newline_delimited", columns=columns)
names = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in columns)
rows = connection.sql(f"SELECT {names} FROM typed").fetchall()
guessed = connection.read_json(path, format="newline_delimited", sample_size=-1)
types = {name: str(kind) for name, kind in zip(guessed.columns, guessed.types)}
print(json.dumps({"rows": rows, "types": types}))
