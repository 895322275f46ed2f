"""Prints all rows of a table as JSON, in values that tell types apart (see test/evolution/expectation.ts).

Arguments: `delta` and the table's folder, or `iceberg`, the properties of the catalog as JSON, and the table's name.
"""

import json
import sys
from datetime import date, datetime, time, timezone
from decimal import Decimal
from uuid import UUID

import pyarrow as pa

EPOCH = datetime(1970, 1, 1)


def micros(value):
    delta = value - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def plain(value, kind):
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: plain(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return [[plain(key, kind.key_type), plain(item, kind.item_type)] for key, item in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [plain(item, kind.value_type) for item in value]
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return f"i:{value}"
    if isinstance(value, str):
        return f"s:{value}"
    if isinstance(value, UUID):
        return f"u:{value}"
    if isinstance(value, bytes):
        is_uuid = isinstance(kind, pa.UuidType) if hasattr(pa, "UuidType") else False
        return f"u:{UUID(bytes=value)}" if is_uuid else f"x:{value.hex()}"
    if isinstance(value, Decimal):
        return f"n:{value:f}"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return f"N:{micros(value)}"
        return f"T:{micros(value.astimezone(timezone.utc).replace(tzinfo=None))}"
    if isinstance(value, date):
        return f"d:{(value - EPOCH.date()).days}"
    if isinstance(value, time):
        return f"t:{((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond}"
    raise TypeError(f"{type(value)} of {kind}")


def table():
    if sys.argv[1] == "delta":
        from deltalake import DeltaTable

        return DeltaTable(sys.argv[2]).to_pyarrow_table()
    from pyiceberg.catalog import load_catalog

    return load_catalog("walk", **json.loads(sys.argv[2])).load_table(sys.argv[3]).scan().to_arrow()


rows = table()
kinds = {field.name: field.type for field in rows.schema}
print(json.dumps([{name: plain(value, kinds[name]) for name, value in row.items()} for row in rows.to_pylist()]))
