"""CREATE, DROP and ALTER. Each commits the open transaction first, and then itself."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

import commands
import dialect
import session as sessions
from catalog import Column, Table, quoted, type_of
from datatypes import MAX_BINARY, MAX_TEXT, DataType, of_duckdb
from engine import Warehouse
from errors import SnowflakeError, exists, missing, unsupported
from stages import parts_of

if TYPE_CHECKING:
    from session import Result, Session

_MADE = re.compile(
    r"(?P<verb>CREATE|DROP|ALTER)\s+(?P<replace>OR\s+REPLACE\s+)?(?P<temporary>(?:(?:LOCAL|GLOBAL)\s+)?TEMP(?:ORARY)?\s+|TRANSIENT\s+)?"
    r"(?P<kind>TABLE|SCHEMA|DATABASE|STAGE|WAREHOUSE|SESSION)\s+(?P<guard>IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<rest>.*)",
    re.I | re.S,
)
_NAME = re.compile(r'(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+)){0,2}')


def define(session: "Session", text: str, binds: list[Any]) -> "Result":
    found = _MADE.fullmatch(text)
    if found is None:
        raise unsupported(text[:60])
    kind, verb, guarded = found["kind"].upper(), found["verb"].upper(), found["guard"] is not None
    if kind == "SESSION":
        return _alter_session(session, found["rest"])
    if kind == "WAREHOUSE":
        return _warehouse(session, verb, guarded, found["rest"])
    named = _NAME.match(found["rest"])
    if named is None:
        raise unsupported(text[:60])
    parts, rest = parts_of(named[0]), found["rest"][named.end() :].strip()
    session.end_open(commit=True)
    # One definition at a time: CREATE TABLE IF NOT EXISTS by many at once makes one table.
    with session.engine.ddl:
        words = _within_transaction(session, lambda: _define(session, text, found, verb, kind, parts, rest, binds))
    return sessions.status(words, sessions.DEFINITION)


def _within_transaction(session: "Session", work: Any) -> str:
    """Another's commit of rows can collide with a change of their table: then DuckDB refuses, and it is done again."""
    for attempt in range(50):
        session.db.execute("begin transaction")
        temporary = dict(session.temporary)
        try:
            words = work()
            session.db.execute("commit")
            session.engine.commits.add()
            return words
        except BaseException as error:
            session.temporary = temporary
            try:
                session.db.execute("rollback")
            except duckdb.TransactionException:
                pass  # A commit that fails has rolled back.
            if not isinstance(error, duckdb.TransactionException) or attempt == 49:
                raise
    raise AssertionError


def _define(session: "Session", text: str, found: re.Match[str], verb: str, kind: str, parts: list[str], rest: str, binds: list[Any]) -> str:
    guarded = found["guard"] is not None
    if kind == "DATABASE":
        return _database(session, verb, guarded, found["replace"] is not None, parts[0])
    if kind == "SCHEMA":
        return _schema(session, verb, guarded, found["replace"] is not None, parts)
    if kind == "STAGE":
        return _stage(session, verb, guarded, found["replace"] is not None, parts, rest)
    if verb == "CREATE":
        is_temporary = "TEMP" in (found["temporary"] or "").upper()
        return _create_table(session, text, guarded, found["replace"] is not None, is_temporary, parts, binds)
    if verb == "DROP":
        return _drop_table(session, guarded, parts)
    return _alter_table(session, guarded, parts, rest)


def _database(session: "Session", verb: str, guarded: bool, replaces: bool, name: str) -> str:
    there = session.catalog.has_database(name)
    if verb == "ALTER":
        raise unsupported("ALTER DATABASE")
    if verb == "DROP" or (there and replaces):
        if not there and not guarded:
            raise missing(name)
        if there:
            session.catalog.drop_database(name)
        if verb == "DROP":
            return f"{name} successfully dropped."
    if there and not replaces:
        return _exists(guarded, name)
    session.catalog.create_database(name)
    session.database, session.schema = name, "PUBLIC"
    return f"Database {name} successfully created."


def _schema(session: "Session", verb: str, guarded: bool, replaces: bool, parts: list[str]) -> str:
    database, name = parts if len(parts) == 2 else (session.database, parts[-1])
    if verb == "ALTER":
        raise unsupported("ALTER SCHEMA")
    if database is None or not session.catalog.has_database(database):
        raise missing(str(database))
    there = session.catalog.has_schema(database, name)
    if verb == "DROP" or (there and replaces):
        if not there and not guarded:
            raise missing(f"{database}.{name}")
        if there:
            session.catalog.drop_schema(database, name)
        if verb == "DROP":
            return f"{name} successfully dropped."
    if there and not replaces:
        return _exists(guarded, name)
    session.catalog.create_schema(database, name)
    session.database, session.schema = database, name
    return f"Schema {name} successfully created."


def _stage(session: "Session", verb: str, guarded: bool, replaces: bool, parts: list[str], rest: str) -> str:
    name = session.name_of(parts)
    session.catalog.require_schema(*name[:2])
    there = session.catalog.has_stage(name)
    if verb == "ALTER" or re.search(r"\bURL\s*=", rest, re.I):
        raise unsupported("ALTER STAGE and external stages")
    if verb == "DROP" or (there and replaces):
        if not there and not guarded:
            raise missing(".".join(name))
        session.catalog.drop_stage(name)
        session.engine.stages.drop(name)
        if verb == "DROP":
            return f"{name[2]} successfully dropped."
    if there and not replaces:
        return _exists(guarded, name[2])
    comment = re.search(r"COMMENT\s*=\s*'((?:[^']|'')*)'", rest, re.I)
    session.catalog.create_stage(name, comment[1].replace("''", "'") if comment else "")
    return f"Stage area {name[2]} successfully created."


def _exists(guarded: bool, name: str) -> str:
    if not guarded:
        raise exists(name)
    return f"{name} already exists, statement succeeded."


def _create_table(
    session: "Session", text: str, guarded: bool, replaces: bool, is_temporary: bool, parts: list[str], binds: list[Any]
) -> str:
    name = session.name_of(parts)
    session.catalog.require_schema(*name[:2])
    there = session.temporary.get(name) if is_temporary else session.catalog.table(name)
    if there is not None and not replaces:
        return _exists(guarded, name[2])
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


def _drop_table(session: "Session", guarded: bool, parts: list[str]) -> str:
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


def _alter_table(session: "Session", guarded: bool, parts: list[str], rest: str) -> str:
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
        session.db.execute(f"alter table {table.physical()} add column {quoted(column.name)} {column.type.duckdb()}{default}")
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _split(text: str) -> list[str]:
    """At commas that are in no parentheses and no quotes."""
    return [part.strip() for part in re.findall(r"""(?:\([^)]*\)|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^,('"])+""", text) if part.strip()]


def _alter_session(session: "Session", rest: str) -> "Result":
    for name in re.findall(r"(\w+)", rest[6:]) if re.match(r"UNSET\s", rest, re.I) else []:
        session.set_parameter(name.upper(), sessions.DEFAULTS.get(name.upper(), ""))
    if re.match(r"SET\s", rest, re.I):
        for name, value in re.findall(r"(\w+)\s*=\s*('(?:[^']|'')*'|[\w.+-]+)", rest[4:]):
            session.set_parameter(name.upper(), value[1:-1].replace("''", "'") if value.startswith("'") else value)
    elif not re.match(r"UNSET\s", rest, re.I):
        raise unsupported(f"ALTER SESSION {rest[:40]}")
    return sessions.status()


def _warehouse(session: "Session", verb: str, guarded: bool, rest: str) -> "Result":
    named = _NAME.match(rest)
    name = parts_of(named[0])[0] if named else ""
    known = session.engine.warehouses.get(name)
    option = lambda key: re.search(rf"\b{key}\s*=\s*'?([\w-]+)", rest, re.I)  # noqa: E731
    if verb == "CREATE":
        session.engine.warehouses[name] = known if known and guarded else Warehouse(name)
        known = session.engine.warehouses[name]
    if known is None:
        raise missing(name)
    if verb == "DROP":
        del session.engine.warehouses[name]
    if re.search(r"\bSUSPEND\s*$", rest, re.I):
        known.state = "SUSPENDED"
    if re.search(r"\bRESUME(\s+IF\s+SUSPENDED)?\s*$", rest, re.I):
        known.use()
    if seconds := option("AUTO_SUSPEND"):
        known.auto_suspend = int(seconds[1])
    return sessions.status()


