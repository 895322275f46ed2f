"""Snowflake's functions that DuckDB has not, or has otherwise: added to each connection."""

import base64
import binascii
import json
import re
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
    add("_members", members, "STRUCT(k VARCHAR, i BIGINT, v VARCHAR)[]", "VARCHAR")
    add("_number", number, "VARCHAR", "VARCHAR", "VARCHAR")


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str | None) -> str | None:
    """Empty text is NULL; an object with a key twice is refused, and half of a surrogate pair; numbers keep all their digits."""
    if text is None or not text.strip():
        return None
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=str, parse_float=str)
        if _SURROGATE.search(text):
            json.dumps(json.loads(text), ensure_ascii=False).encode()
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


_decoder = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r,:]*")


def members(text: str | None) -> list[dict[str, Any]]:
    """Of an object or an array, each with its text as it stands: DuckDB's own functions round long numbers."""
    text = (text or "").strip()
    found: list[dict[str, Any]] = []
    if text[:1] not in ("[", "{"):
        return found
    at = _SPACE.match(text, 1).end()
    while at < len(text) - 1:
        key = None
        if text[0] == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _SPACE.match(text, at).end()
        _, end = _decoder.raw_decode(text, at)
        found.append({"k": key, "i": len(found) if key is None else None, "v": text[at:end]})
        at = _SPACE.match(text, end).end()
    return found


def number(text: str | None, path: str) -> str | None:
    """A number with all its digits, or the text of a string; the path is `$."a"."b"`."""
    found = None if text is None else json.loads(text, parse_int=str, parse_float=str)
    for key, index in re.findall(r'\."([^"]*)"|\[(\d+)\]', path):
        if isinstance(found, dict) and not index:
            found = found.get(key)
        elif isinstance(found, list) and index and int(index) < len(found):
            found = found[int(index)]
        else:
            return None
    return found if isinstance(found, str) else None


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
