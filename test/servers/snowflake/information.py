"""INFORMATION_SCHEMA, SHOW and DESCRIBE: the catalog as tables."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalog import Table
from errors import missing, unsupported

if TYPE_CHECKING:
    from session import Session

Relation = tuple[list[str], list[list[Any]]]


def information_schema(session: "Session", database: str | None, view: str) -> str:
    """SQL of a query in parentheses."""
    if database is None or not session.catalog.has_database(database):
        raise missing(f"{database}.INFORMATION_SCHEMA")
    make = _VIEWS.get(view)
    if make is None:
        raise unsupported(f"INFORMATION_SCHEMA.{view}")
    return as_sql(make(session, database))


def as_sql(relation: Relation) -> str:
    columns, rows = relation
    names = ", ".join(f'"{name}"' for name in columns)
    if not rows:
        empty = ", ".join(f'CAST(NULL AS TEXT) AS "{name}"' for name in columns)
        return f"(SELECT {empty} WHERE false)"
    values = ", ".join(f"({', '.join(_literal(value) for value in row)})" for row in rows)
    return f"(SELECT * FROM (VALUES {values}) AS known ({names}))"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _schemata(session: "Session", database: str) -> Relation:
    rows = [[database, name, created] for _, name, created in session.catalog.schemas(database)]
    rows.append([database, "INFORMATION_SCHEMA", None])
    return ["CATALOG_NAME", "SCHEMA_NAME", "CREATED"], rows


def _tables(session: "Session", database: str) -> Relation:
    columns = "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE CLUSTERING_KEY COMMENT CREATED".split()
    kind = lambda table: "LOCAL TEMPORARY" if table.temporary else "BASE TABLE"
    rows = [[*t.name, kind(t), _clustering(t), t.comment or None, t.created] for t in _visible(session, database)]
    return columns, rows


def _columns(session: "Session", database: str) -> Relation:
    columns = (
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION COLUMN_DEFAULT IS_NULLABLE DATA_TYPE"
        " CHARACTER_MAXIMUM_LENGTH CHARACTER_OCTET_LENGTH NUMERIC_PRECISION NUMERIC_SCALE DATETIME_PRECISION COMMENT"
    ).split()
    rows = []
    for table in _visible(session, database):
        for position, column in enumerate(table.columns, start=1):
            kind = column.type
            is_number, is_bytes = kind.kind == "fixed", kind.kind == "binary"
            octets = kind.length if is_bytes or kind.length is None else min(kind.length * 4, 134_217_728)
            rows.append(
                [
                    *table.name,
                    column.name,
                    position,
                    column.default,
                    "YES" if column.nullable else "NO",
                    kind.name(),
                    kind.length,
                    octets,
                    kind.precision if is_number else None,
                    kind.scale if is_number else None,
                    None if is_number else kind.scale,
                    column.comment,
                ]
            )
    return columns, rows


def _stages(session: "Session", database: str) -> Relation:
    columns = "STAGE_CATALOG STAGE_SCHEMA STAGE_NAME STAGE_TYPE CREATED COMMENT".split()
    rows = [[d, s, name, "Internal Named", at, note] for d, s, name, at, note in session.catalog.stages() if d == database]
    return columns, rows


_VIEWS = {"SCHEMATA": _schemata, "TABLES": _tables, "COLUMNS": _columns, "STAGES": _stages}


def _visible(session: "Session", database: str) -> list[Table]:
    own = list(session.temporary.values())
    hidden = {table.name for table in own}
    every = [table for table in session.catalog.tables() if table.name not in hidden] + own
    return [table for table in every if table.name[0] == database]


def _clustering(table: Table) -> str | None:
    return f"LINEAR({table.cluster_by})" if table.cluster_by else None


def describe(table: Table) -> Relation:
    columns = "name type kind null? default;primary key;unique key;check;expression;comment;policy name;privacy domain"
    first, *others = columns.split(";")
    names = [*first.split(" "), *others]
    rows = [
        [c.name, c.type.sql(), "COLUMN", "Y" if c.nullable else "N", c.default, "N", "N", None, None, c.comment, None, None]
        for c in table.columns
    ]
    return names, rows


def like(pattern: str, name: str) -> bool:
    """LIKE of SHOW: ignoring case, with % and _ and a backslash before what is meant itself."""
    parts = re.findall(r"\\.|.", pattern, re.S)
    made = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(made, name, re.I | re.S) is not None


def relation(names: str, rows: Iterable[list[Any]]) -> Relation:
    return names.split(), list(rows)
