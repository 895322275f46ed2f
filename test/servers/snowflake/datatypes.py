"""Snowflake's types, their DuckDB stand-ins and their look on the wire."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MAX_TEXT = 16_777_216
MAX_BINARY = 8_388_608


@dataclass(frozen=True)
class DataType:
    """`kind` is a name of the wire protocol: fixed, real, text, binary, boolean, date, time, timestamp_ntz, variant …"""

    kind: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    def sql(self) -> str:
        """As DESCRIBE TABLE writes it."""
        match self.kind:
            case "fixed":
                return f"NUMBER({self.precision},{self.scale})"
            case "real":
                return "FLOAT"
            case "text":
                return f"VARCHAR({self.length})"
            case "binary":
                return f"BINARY({self.length})"
            case "time" | "timestamp_ntz" | "timestamp_ltz" | "timestamp_tz":
                return f"{self.kind.upper()}({self.scale})"
            case _:
                return self.kind.upper()

    def name(self) -> str:
        """As INFORMATION_SCHEMA.COLUMNS.DATA_TYPE writes it."""
        return {"fixed": "NUMBER", "real": "FLOAT"}.get(self.kind, self.sql().split("(")[0]).replace("VARCHAR", "TEXT")

    def duckdb(self) -> str:
        match self.kind:
            case "fixed":
                return f"DECIMAL({self.precision},{self.scale})"
            case "real":
                return "DOUBLE"
            case "text":
                return "VARCHAR"
            case "binary":
                return "BLOB"
            case "variant" | "object" | "array":
                return "JSON"
            case "timestamp_ntz":
                return "TIMESTAMP"
            case "timestamp_ltz" | "timestamp_tz":
                return "TIMESTAMPTZ"
            case _:
                return self.kind.upper()


_NAMES = {
    "fixed": "NUMBER DECIMAL NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT",
    "real": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL",
    "text": "VARCHAR STRING TEXT CHAR CHARACTER NVARCHAR",
    "binary": "BINARY VARBINARY",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP_NTZ TIMESTAMPNTZ DATETIME TIMESTAMP",
    "timestamp_ltz": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "timestamp_tz": "TIMESTAMP_TZ TIMESTAMPTZ",
    "variant": "VARIANT",
    "object": "OBJECT",
    "array": "ARRAY",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def parse(text: str) -> DataType:
    """A type as a user writes it."""
    found = re.fullmatch(r"\s*(\w+)(?:\s+PRECISION)?\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", text, re.I)
    kind = _KINDS.get(found[1].upper()) if found else None
    if found is None or kind is None:
        raise ValueError(f"Unsupported data type '{text}'.")
    first, second = (int(part) if part else None for part in found.groups()[1:])
    match kind:
        case "fixed":
            return DataType("fixed", 38 if first is None else first, second or 0)
        case "text":
            return DataType("text", length=first or (1 if found[1].upper() in ("CHAR", "CHARACTER") else MAX_TEXT))
        case "binary":
            return DataType("binary", length=first or MAX_BINARY)
        case "time" | "timestamp_ntz" | "timestamp_ltz" | "timestamp_tz":
            return DataType(kind, scale=9 if first is None else first)
        case _:
            return DataType(kind)


_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "UBIGINT": 20, "UINTEGER": 10}


def of_duckdb(name: str) -> DataType:
    """The type of a column of a result."""
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        return DataType("fixed", int(found[1]), int(found[2]))
    if name in _INTEGERS:
        return DataType("fixed", _INTEGERS[name], 0)
    kinds = {
        "HUGEINT": "fixed",
        "DOUBLE": "real",
        "FLOAT": "real",
        "BLOB": "binary",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "TIME": "time",
        "TIMESTAMP": "timestamp_ntz",
        "TIMESTAMP_NS": "timestamp_ntz",
        "TIMESTAMP WITH TIME ZONE": "timestamp_ltz",
        "JSON": "variant",
    }
    kind = kinds.get(name, "text")
    match kind:
        case "fixed":
            return DataType(kind, 38, 0)
        case "text":
            return DataType(kind, length=MAX_TEXT)
        case "binary":
            return DataType(kind, length=MAX_BINARY)
        case "time" | "timestamp_ntz" | "timestamp_ltz":
            return DataType(kind, scale=9)
        case _:
            return DataType(kind)


_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)


def wire(value: Any, of: DataType) -> str | None:
    """A value of a result as the JSON rowset carries it."""
    if value is None:
        return None
    match of.kind:
        case "fixed":
            return format(Decimal(value), f".{of.scale or 0}f")
        case "real":
            return {"inf": "inf", "-inf": "-inf", "nan": "NaN"}.get(str(value), repr(float(value)))
        case "boolean":
            return "1" if value else "0"
        case "binary":
            return bytes(value).hex().upper()
        case "date":
            return str((value - _EPOCH.date()).days)
        case "time":
            micros = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
            return _seconds(micros)
        case "timestamp_ntz":
            return _seconds((value - _EPOCH) // _MICROSECOND)
        case "timestamp_ltz" | "timestamp_tz":
            return _seconds((value - _EPOCH.replace(tzinfo=dt.UTC)) // _MICROSECOND)
        case _:
            return str(value)


def _seconds(micros: int) -> str:
    """Seconds with nine digits after the point; the fraction is added to the floor, also before 1970."""
    whole, fraction = divmod(micros, 1_000_000)
    return f"{whole}.{fraction:06d}000"


def bound(kind: str, value: str | None) -> Any:
    """A value that a client has bound."""
    if value is None:
        return None
    match kind.upper():
        case "FIXED":
            return int(value) if re.fullmatch(r"[+-]?\d+", value) else Decimal(value)
        case "REAL":
            return float(value)
        case "BOOLEAN":
            return value.lower() in ("true", "1")
        case "BINARY":
            return bytes.fromhex(value)
        case "DATE":
            return _EPOCH.date() + dt.timedelta(milliseconds=int(value))
        case "TIMESTAMP_NTZ":
            return _EPOCH + dt.timedelta(microseconds=int(value) // 1000)
        case "TIMESTAMP_LTZ":
            return _EPOCH.replace(tzinfo=dt.UTC) + dt.timedelta(microseconds=int(value) // 1000)
        case _:
            return value
