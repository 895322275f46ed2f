"""Snowflake's errors: a number, an SQLSTATE and its words."""

import re

import duckdb


class SnowflakeError(Exception):
    def __init__(self, code: int, state: str, message: str) -> None:
        super().__init__(message)
        self.code = f"{code:06d}"
        self.state = state
        self.message = message


def missing(name: str) -> SnowflakeError:
    return SnowflakeError(2003, "42S02", f"SQL compilation error:\nObject '{name}' does not exist or not authorized.")


def exists(name: str) -> SnowflakeError:
    return SnowflakeError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def syntax(what: str) -> SnowflakeError:
    return SnowflakeError(1003, "42000", f"SQL compilation error:\nsyntax error: {what}")


def unsupported(what: str) -> SnowflakeError:
    """Of the stand-in alone: what it has no idea of must never look like success."""
    return SnowflakeError(2, "0A000", f"the stand-in does not support {what}")


def of_duckdb(error: duckdb.Error) -> SnowflakeError:
    """What Snowflake says where DuckDB says this."""
    text = str(error)
    value = re.search(r"'([^']*)'", text)
    given = value[1] if value else ""
    if isinstance(error, duckdb.ConversionException):
        if re.search(r"timestamp|date|time", text, re.I):
            return SnowflakeError(100035, "22007", f"Timestamp '{given}' is not recognized")
        if re.search(r"bool", text, re.I):
            return SnowflakeError(100037, "22018", f"Boolean value '{given}' is not recognized")
        if re.search(r"blob|base64|hex", text, re.I):
            return SnowflakeError(100115, "22000", f"The following string is not a legal binary value: '{given}'")
        return SnowflakeError(100038, "22018", f"Numeric value '{given}' is not recognized")
    if isinstance(error, duckdb.OutOfRangeException):
        return SnowflakeError(100039, "22003", "Numeric value is out of range")
    if isinstance(error, duckdb.ConstraintException):
        if "CHECK" in text:
            return SnowflakeError(100078, "22000", f"String is too long and would be truncated: {text.split(chr(10))[0]}")
        return SnowflakeError(100072, "22000", "NULL result in a non-nullable column")
    if isinstance(error, duckdb.CatalogException):
        name = re.search(r"with name \"?([^\s\"!]+)", text)
        if "Function" in text and name:
            return SnowflakeError(2140, "42601", f"SQL compilation error:\nUnknown function {name[1].upper()}")
        if "already exists" in text:
            return exists(name[1] if name else given)
        return missing(name[1] if name else text.split("\n")[0])
    if isinstance(error, duckdb.BinderException):
        return SnowflakeError(904, "42000", f"SQL compilation error:\n{text.split(chr(10))[0]}")
    if isinstance(error, duckdb.ParserException):
        return syntax(text.split("\n")[0])
    if isinstance(error, duckdb.InvalidInputException):
        own = re.search(r"ValueError: (.*)", text)
        return SnowflakeError(100069, "22P02", own[1] if own else text.split("\n")[0])
    return SnowflakeError(603, "XX000", f"SQL execution internal error: {text}")
