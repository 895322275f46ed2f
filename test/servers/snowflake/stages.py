"""Internal stages: folders of files, and COPY INTO from them."""

import datetime as dt
import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import Name
from errors import SnowflakeError, syntax, unsupported

_PART = r'(?:"(?:[^"]|"")+"|[A-Za-z_%~][\w$]*)'
STAGE = re.compile(rf"@(?P<stage>{_PART}(?:\.{_PART}){{0,2}})(?P<path>/[^\s'),;]*)?")
MAX_VALUE_BYTES = 64 * 2**20


def parts_of(name: str) -> list[str]:
    """`a."b c".d` as its parts, those without quotes in upper case."""
    found = re.findall(_PART, name)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part.upper() for part in found]


@dataclass(frozen=True)
class Location:
    """A prefix of a stage's file names."""

    stage: Name
    path: str


class Stages:
    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, stage: Name) -> Path:
        return self._root / hashlib.sha256("\0".join(stage).encode()).hexdigest()[:24]

    def file(self, key: str) -> Path | None:
        """By what clients call it: `<folder>/<path>`; none for what would lie elsewhere."""
        path = (self._root / key).resolve()
        return path if path.is_relative_to(self._root.resolve()) else None

    def write(self, path: Path, data: bytes) -> None:
        """Whole or not at all, as an object store does it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.{id(data)}.half")
        half.write_bytes(data)
        half.replace(path)

    def files(self, at: Location) -> list[tuple[str, Path]]:
        """The files whose names begin with the path, by name."""
        folder = self.folder(at.stage)
        every = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".half")]
        named = sorted((str(path.relative_to(folder)), path) for path in every)
        return [(name, path) for name, path in named if name.startswith(at.path)]

    def listing(self, at: Location, pattern: str | None) -> list[tuple[str, int, str, str]]:
        rows = []
        for name, path in self.files(at):
            shown = f"{at.stage[2].lower()}/{name}"
            if pattern is not None and not re.fullmatch(pattern, shown):
                continue
            try:
                data, changed = path.read_bytes(), path.stat().st_mtime
            except FileNotFoundError:
                continue
            when = dt.datetime.fromtimestamp(changed, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
            rows.append((shown, len(data), hashlib.md5(data).hexdigest(), when))
        return rows

    def remove(self, at: Location, pattern: str | None) -> list[tuple[str, str]]:
        removed = []
        for name, path in self.files(at):
            shown = f"{at.stage[2].lower()}/{name}"
            if pattern is None or re.fullmatch(pattern, shown):
                path.unlink(missing_ok=True)
                removed.append((shown, "removed"))
        return removed

    def drop(self, stage: Name) -> None:
        shutil.rmtree(self.folder(stage), ignore_errors=True)


@dataclass(frozen=True)
class Copy:
    """COPY INTO a table; `select` is the transformation, its stage replaced by the table STAGED_FILES."""

    target: str
    columns: str
    stage: str
    path: str
    select: str
    files: tuple[str, ...]
    pattern: str | None
    compression: str
    force: bool
    purge: bool


def parse_copy(text: str) -> Copy:
    head = re.match(
        rf"COPY\s+INTO\s+(?P<target>{_PART}(?:\.{_PART}){{0,2}})\s*(?P<columns>\([^)]*\))?\s*FROM\s+", text, re.I
    )
    if head is None:
        raise syntax("COPY INTO")
    rest = text[head.end() :]
    if rest.startswith("("):
        end = _closing(rest)
        source, rest = rest[1:end], rest[end + 1 :]
        located = STAGE.search(source)
        if located is None:
            raise unsupported("COPY INTO from anything but a stage")
        before, after = source[: located.start()], source[located.end() :]
        if before.endswith("'"):
            before, after = before[:-1], after.removeprefix("'")
        select = f"{before} STAGED_FILES {after}"
    else:
        source = re.match(r"'(@[^']*)'|(@\S+)", rest)
        located = STAGE.match(source[1] or source[2]) if source else None
        if source is None or located is None:
            raise unsupported("COPY INTO from anything but a stage")
        rest = rest[source.end() :]
        select = "SELECT $1 FROM STAGED_FILES"
    options = _options(rest)
    form = _options(options.pop("FILE_FORMAT", "()")[1:-1])
    _check(options, form)
    return Copy(
        head["target"],
        head["columns"] or "",
        located["stage"],
        (located["path"] or "").removeprefix("/"),
        select,
        tuple(re.findall(r"'((?:[^']|'')*)'", options.get("FILES", ""))),
        options["PATTERN"].strip("'") if "PATTERN" in options else None,
        form.get("COMPRESSION", "AUTO").strip("'").upper(),
        options.get("FORCE", "FALSE").upper() == "TRUE",
        options.get("PURGE", "FALSE").upper() == "TRUE",
    )


def _check(options: dict[str, str], form: dict[str, str]) -> None:
    if form.pop("TYPE", "CSV").strip("'").upper() != "JSON":
        raise unsupported("COPY INTO of a FILE_FORMAT other than JSON")
    if others := set(form) - {"COMPRESSION"}:
        raise unsupported(f"the FILE_FORMAT option {', '.join(sorted(others))}")
    if options.get("ON_ERROR", "ABORT_STATEMENT").strip("'").upper() != "ABORT_STATEMENT":
        raise unsupported(f"ON_ERROR = {options['ON_ERROR']}")
    if others := set(options) - {"FILES", "PATTERN", "ON_ERROR", "FORCE", "PURGE"}:
        raise unsupported(f"the COPY option {', '.join(sorted(others))}")


def _closing(text: str) -> int:
    depth, quote = 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return at
    raise syntax("a parenthesis is not closed")


def _options(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    while text := text.strip().lstrip(","):
        found = re.match(r"\s*(\w+)\s*=\s*", text)
        if found is None:
            raise syntax(f"unexpected '{text[:20]}'")
        text = text[found.end() :]
        value = re.match(r"'(?:[^']|'')*'|[^\s,]+", text)
        end = _closing(text) + 1 if text.startswith("(") else value.end() if value else 0
        options[found[1].upper()] = text[:end]
        text = text[end:]
    return options


_COMPRESSIONS = {"ZSTD": "zstd", "GZIP": "gzip", "NONE": "uncompressed"}


def compression_of(copy: Copy, file: str) -> str:
    if copy.compression == "AUTO":
        return {".zst": "zstd", ".gz": "gzip"}.get(Path(file).suffix, "uncompressed")
    if copy.compression not in _COMPRESSIONS:
        raise unsupported(f"COMPRESSION = {copy.compression}")
    return _COMPRESSIONS[copy.compression]


def staged_rows(path: Path, compression: str) -> str:
    """SQL of a file's values, as the column $1."""
    name = str(path).replace("'", "''")
    reader = f"read_ndjson_objects(['{name}'], compression='{compression}', maximum_object_size={MAX_VALUE_BYTES})"
    return f'(SELECT json AS "$1" FROM {reader})'


def not_found(file: str) -> SnowflakeError:
    return SnowflakeError(91016, "22000", f"Remote file '{file}' was not found. There are several potential causes.")


COPY_COLUMNS = (
    "file status rows_parsed rows_loaded error_limit errors_seen first_error first_error_line first_error_character"
    " first_error_column_name"
).split()


def copied(file: str, rows: int) -> list[Any]:
    return [file, "LOADED", rows, rows, 1, 0, None, None, None, None]
