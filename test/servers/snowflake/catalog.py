"""What there is: databases, schemas, tables and stages, kept in the DuckDB file beside the data.

The table T of the schema S of the database D is the DuckDB table "D.S"."T"; a temporary one is temp.main."D.S.T" of its
session's own connection.
"""

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import duckdb

import datatypes
from datatypes import MAX_BINARY, MAX_TEXT, DataType
from errors import SnowflakeError, missing

Name = tuple[str, str, str]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Column:
    name: str
    type: DataType
    nullable: bool = True
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class Table:
    name: Name
    columns: tuple[Column, ...]
    cluster_by: str = ""
    comment: str = ""
    temporary: bool = False
    # Another one after CREATE OR REPLACE: a replaced table has no load history.
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: str = field(default_factory=lambda: dt.datetime.now(dt.UTC).isoformat())

    def physical(self) -> str:
        if self.temporary:
            return f"temp.main.{quoted('.'.join(self.name))}"
        return f"{quoted(schema_of(self.name))}.{quoted(self.name[2])}"


def schema_of(name: Name) -> str:
    return f"{name[0]}.{name[1]}"


SETUP = """
create schema if not exists _bronze;
create table if not exists _bronze.databases (name varchar primary key, created varchar);
create table if not exists _bronze.schemas (database varchar, name varchar, created varchar, primary key (database, name));
create table if not exists _bronze.tables (database varchar, schema varchar, name varchar, definition varchar,
  primary key (database, schema, name));
create table if not exists _bronze.stages (database varchar, schema varchar, name varchar, created varchar, comment varchar,
  primary key (database, schema, name));
create table if not exists _bronze.loads (table_id varchar, file varchar);
"""


class Catalog:
    """Reads and writes through the connection it is given, so that what it writes is part of that one's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._db = connection

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, list(values)).fetchall()

    def databases(self) -> list[tuple[str, str]]:
        return self._rows("select name, created from _bronze.databases order by name")

    def has_database(self, database: str) -> bool:
        return bool(self._rows("select 1 from _bronze.databases where name = ?", database))

    def schemas(self, database: str | None = None) -> list[tuple[str, str, str]]:
        every = self._rows("select database, name, created from _bronze.schemas order by database, name")
        return [row for row in every if database in (None, row[0])]

    def has_schema(self, database: str, schema: str) -> bool:
        return bool(self._rows("select 1 from _bronze.schemas where database = ? and name = ?", database, schema))

    def create_database(self, name: str) -> None:
        self._db.execute("insert into _bronze.databases values (?, ?)", [name, _now()])
        self.create_schema(name, "PUBLIC")

    def create_schema(self, database: str, name: str) -> None:
        self._db.execute("insert into _bronze.schemas values (?, ?, ?)", [database, name, _now()])
        self._db.execute(f"create schema {quoted(f'{database}.{name}')}")

    def drop_schema(self, database: str, name: str) -> None:
        self._db.execute(f"drop schema {quoted(f'{database}.{name}')} cascade")
        for what in ("tables", "stages"):
            self._db.execute(f"delete from _bronze.{what} where database = ? and schema = ?", [database, name])
        self._db.execute("delete from _bronze.schemas where database = ? and name = ?", [database, name])

    def drop_database(self, name: str) -> None:
        for _, schema, _ in self.schemas(name):
            self.drop_schema(name, schema)
        self._db.execute("delete from _bronze.databases where name = ?", [name])

    def table(self, name: Name) -> Table | None:
        where = "database = ? and schema = ? and name = ?"
        found = self._rows(f"select definition from _bronze.tables where {where}", *name)
        return _load(found[0][0]) if found else None

    def tables(self) -> list[Table]:
        found = self._rows("select definition from _bronze.tables order by database, schema, name")
        return [_load(text) for (text,) in found]

    def save_table(self, table: Table) -> None:
        self._db.execute("insert or replace into _bronze.tables values (?, ?, ?, ?)", [*table.name, _dump(table)])

    def forget_table(self, name: Name) -> None:
        self._db.execute("delete from _bronze.tables where database = ? and schema = ? and name = ?", list(name))

    def stages(self) -> list[tuple[str, str, str, str, str]]:
        columns = "database, schema, name, created, comment"
        return self._rows(f"select {columns} from _bronze.stages order by database, schema, name")

    def has_stage(self, name: Name) -> bool:
        where = "database = ? and schema = ? and name = ?"
        return bool(self._rows(f"select 1 from _bronze.stages where {where}", *name))

    def create_stage(self, name: Name, comment: str) -> None:
        self._db.execute("insert into _bronze.stages values (?, ?, ?, ?, ?)", [*name, _now(), comment])

    def drop_stage(self, name: Name) -> None:
        self._db.execute("delete from _bronze.stages where database = ? and schema = ? and name = ?", list(name))

    def loaded(self, table: Table) -> set[str]:
        return {file for (file,) in self._rows("select file from _bronze.loads where table_id = ?", table.id)}

    def note_loaded(self, table: Table, files: list[str]) -> None:
        for file in files:
            self._db.execute("insert into _bronze.loads values (?, ?)", [table.id, file])

    def require_schema(self, database: str, schema: str) -> None:
        if not self.has_schema(database, schema):
            raise missing(f"{database}.{schema}") if self.has_database(database) else missing(database)

    def create_table(self, table: Table) -> None:
        """Makes the DuckDB table, and for a permanent one the entry; whether it may is for the caller to have checked."""
        definitions = [f"{quoted(c.name)} {c.type.duckdb()}{_constraints(c)}" for c in table.columns]
        kind = "temporary table" if table.temporary else "table"
        self._db.execute(f"create or replace {kind} {table.physical()} ({', '.join(definitions)})")
        if not table.temporary:
            self.save_table(table)


def _constraints(column: Column) -> str:
    default = "" if column.default is None else f" default {column.default}"
    length, name = column.type.length, quoted(column.name)
    check = ""
    if column.type.kind == "text" and length is not None and length < MAX_TEXT:
        check = f" check (length({name}) <= {length})"
    if column.type.kind == "binary" and length is not None and length < MAX_BINARY:
        check = f" check (octet_length({name}) <= {length})"
    return f"{default}{'' if column.nullable else ' not null'}{check}"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


def _dump(table: Table) -> str:
    columns = [[c.name, c.type.sql(), c.nullable, c.default, c.comment] for c in table.columns]
    return json.dumps([table.name, columns, table.cluster_by, table.comment, table.id, table.created])


def _load(text: str) -> Table:
    name, columns, cluster_by, comment, identity, created = json.loads(text)
    parsed = tuple(Column(c[0], datatypes.parse(c[1]), c[2], c[3], c[4]) for c in columns)
    return Table(tuple(name), parsed, cluster_by, comment, False, identity, created)


def type_of(text: str) -> DataType:
    try:
        return datatypes.parse(text)
    except ValueError as error:
        raise SnowflakeError(2040, "42704", f"SQL compilation error:\n{error}") from None
