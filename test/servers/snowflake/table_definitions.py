"""CREATE TABLE, DROP TABLE and ALTER TABLE, within a transaction of their own."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

import dialect
from catalog import Column, Table, quoted, type_of
from datatypes import of_duckdb
from errors import SnowflakeError, exists, missing, unsupported
from stages import parts_of

if TYPE_CHECKING:
    from session import Session


def already(guarded: bool, name: str) -> str:
    if not guarded:
        raise exists(name)
    return f"{name} already exists, statement succeeded."


def create(
    session: "Session", text: str, guarded: bool, replaces: bool, is_temporary: bool, parts: list[str], binds: list[Any]
) -> str:
    name = session.name_of(parts)
    session.catalog.require_schema(*name[:2])
    there = session.temporary.get(name) if is_temporary else session.catalog.table(name)
    if there is not None and not replaces:
        return already(guarded, name[2])
    create = dialect.parse(text)
    if not isinstance(create, exp.Create):
        raise unsupported(text[:60])
    properties = create.args.get("properties")
    given = properties.expressions if properties is not None else []
    comment = next((p.this.name for p in given if isinstance(p, exp.SchemaCommentProperty)), "")
    cluster = next((p for p in given if isinstance(p, exp.ClusterProperty)), None)
    by = ", ".join(each.sql(dialect="snowflake").replace('"', "") for each in cluster.expressions) if cluster else ""
    schema = create.this if isinstance(create.this, exp.Schema) else None
    columns = tuple(_column(each, session) for each in schema.expressions) if schema and _is_typed(schema) else ()
    query = create.args.get("expression")
    sql = dialect.translate(query, session.around()) if query is not None else None
    if sql is not None and not columns:
        columns = _columns_of(session, sql, schema, binds)
    if not columns:
        raise unsupported(text[:60])
    table = Table(name, columns, by, comment, is_temporary)
    session.catalog.create_table(table)
    if sql is not None:
        session.use_warehouse()
        session.db.execute(f"insert into {table.physical()} {sql}", binds)
    if is_temporary:
        session.temporary[name] = table
    return f"Table {name[2]} successfully created."


def _is_typed(schema: exp.Schema) -> bool:
    return any(isinstance(each, exp.ColumnDef) and each.args.get("kind") for each in schema.expressions)


def _column(node: exp.Expression, session: "Session") -> Column:
    if not isinstance(node, exp.ColumnDef):
        raise unsupported(f"the table constraint {node.sql(dialect='snowflake')[:60]}")
    nullable, default, comment = True, None, None
    for constraint in node.args.get("constraints") or []:
        match constraint.kind:
            case exp.NotNullColumnConstraint():
                nullable = bool(constraint.kind.args.get("allow_null"))
            case exp.DefaultColumnConstraint():
                default = dialect.default_sql(constraint.kind.this)
            case exp.CommentColumnConstraint():
                comment = constraint.kind.this.name
            case _:
                raise unsupported(f"the constraint {constraint.sql(dialect='snowflake')[:60]}")
    return Column(node.name, type_of(_type_text(node.args["kind"])), nullable, default, comment)


def _type_text(kind: exp.DataType) -> str:
    # An unsized INT is NUMBER(38,0) here, which sqlglot writes as it came.
    return kind.sql(dialect="snowflake")


def _columns_of(session: "Session", sql: str, schema: exp.Schema | None, binds: list[Any]) -> tuple[Column, ...]:
    described = session.db.execute(f"describe {sql}", binds).fetchall()
    names = [each.name for each in schema.expressions] if schema is not None else [row[0] for row in described]
    return tuple(Column(name, of_duckdb(row[1])) for name, row in zip(names, described, strict=True))


def drop(session: "Session", guarded: bool, parts: list[str]) -> str:
    name = session.name_of(parts)
    table = session.find(name)
    if table is None:
        if not guarded:
            raise missing(".".join(name))
        return "Drop statement executed successfully (already dropped)."
    session.db.execute(f"drop table {table.physical()}")
    if table.temporary:
        del session.temporary[name]
    else:
        session.catalog.forget_table(name)
    return f"{name[2]} successfully dropped."


def alter(session: "Session", guarded: bool, parts: list[str], rest: str) -> str:
    name = session.name_of(parts)
    table = session.find(name)
    if table is None:
        if guarded:
            return "Statement executed successfully."
        raise missing(".".join(name))
    if by := re.fullmatch(r"CLUSTER\s+BY\s*\((.*)\)", rest, re.I | re.S):
        changed = replace(table, cluster_by=by[1].replace('"', ""))
    elif said := re.fullmatch(r"SET\s+COMMENT\s*=\s*'((?:[^']|'')*)'", rest, re.I | re.S):
        changed = replace(table, comment=said[1].replace("''", "'"))
    elif re.match(r"ADD\s", rest, re.I):
        changed = _add_columns(session, table, rest)
    elif dropped := re.fullmatch(r"DROP\s+COLUMN\s+(\S+)", rest, re.I):
        column = parts_of(dropped[1])[0]
        session.db.execute(f"alter table {table.physical()} drop column {quoted(column)}")
        changed = replace(table, columns=tuple(c for c in table.columns if c.name != column))
    else:
        raise unsupported(f"ALTER TABLE … {rest[:60]}")
    if table.temporary:
        session.temporary[name] = changed
    else:
        session.catalog.save_table(changed)
    return "Statement executed successfully."


def _add_columns(session: "Session", table: Table, rest: str) -> Table:
    """IF NOT EXISTS may stand before each column."""
    text = re.sub(r"^ADD\s+(COLUMN\s+)?", "", rest, flags=re.I)
    columns = list(table.columns)
    for part in _split(text):
        guard = re.match(r"(?:COLUMN\s+)?IF\s+NOT\s+EXISTS\s+", part, re.I)
        schema = dialect.parse(f"CREATE TABLE T ({part[guard.end() if guard else 0 :]})").this
        column = _column(schema.expressions[0], session)
        if any(column.name == known.name for known in columns):
            if guard:
                continue
            raise SnowflakeError(1430, "42601", f"SQL compilation error:\ncolumn '{column.name}' already exists")
        if not column.nullable and column.default is None:
            raise unsupported("ADD COLUMN … NOT NULL")
        default = "" if column.default is None else f" default {column.default}"
        session.db.execute(
            f"alter table {table.physical()} add column {quoted(column.name)} {column.type.duckdb()}{default}"
        )
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _split(text: str) -> list[str]:
    """At commas that are in no parentheses and no quotes."""
    return [
        part.strip()
        for part in re.findall(r"""(?:\([^)]*\)|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^,('"])+""", text)
        if part.strip()
    ]
