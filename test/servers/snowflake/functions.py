"""Snowflake's functions that DuckDB has not, or has otherwise: added to each connection."""

import base64
import binascii
import json
from typing import Any

import duckdb

from errors import SnowflakeError


def add_to(connection: duckdb.DuckDBPyConnection) -> None:
    def add(name: str, function: Any, result: str, *arguments: str) -> None:
        connection.create_function(name, function, list(arguments), result, null_handling="special")

    add("_parse_json", parse_json, "VARCHAR", "VARCHAR")
    add("_try_parse_json", try_parse_json, "VARCHAR", "VARCHAR")
    add("_binary", binary, "BLOB", "VARCHAR", "VARCHAR")
    add("_try_binary", try_binary, "BLOB", "VARCHAR", "VARCHAR")
    add("try_base64_decode_string", try_base64_text, "VARCHAR", "VARCHAR")


def parse_json(text: str | None) -> str | None:
    """Empty text is NULL; an object with a key twice is refused; numbers keep all their digits."""
    if text is None or not text.strip():
        return None
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Error parsing JSON: {str(error)[:80]}") from None
    return text


def try_parse_json(text: str | None) -> str | None:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("duplicate object attribute")


def _refuse(name: str) -> None:
    raise ValueError(f"unknown keyword {name}")


def binary(text: str | None, encoding: str) -> bytes | None:
    if text is None:
        return None
    match encoding.upper():
        case "HEX":
            return bytes.fromhex(text)
        case "BASE64":
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"The following string is not a legal BASE64-encoded value: '{text[:40]}'") from error
        case "UTF-8" | "UTF8":
            return text.encode()
        case _:
            raise SnowflakeError(100001, "22000", f"Unsupported binary format '{encoding}'")


def try_base64_text(text: str | None) -> str | None:
    try:
        decoded = binary(text, "BASE64")
        return None if decoded is None else decoded.decode()
    except ValueError:
        return None


def try_binary(text: str | None, encoding: str) -> bytes | None:
    try:
        return binary(text, encoding)
    except ValueError:
        return None
