"""CREATE, DROP and ALTER. Each commits the open transaction first, and then itself."""

import re
from typing import TYPE_CHECKING, Any

import duckdb

import session as sessions
import table_definitions
from engine import Warehouse
from errors import missing, unsupported
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
            session.engine.commits.add_definition()
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


def _define(
    session: "Session", text: str, found: re.Match[str], verb: str, kind: str, parts: list[str], rest: str, binds: list[Any]
) -> str:
    guarded = found["guard"] is not None
    if kind == "DATABASE":
        return _database(session, verb, guarded, found["replace"] is not None, parts[0])
    if kind == "SCHEMA":
        return _schema(session, verb, guarded, found["replace"] is not None, parts)
    if kind == "STAGE":
        return _stage(session, verb, guarded, found["replace"] is not None, parts, rest)
    if verb == "CREATE":
        is_temporary = "TEMP" in (found["temporary"] or "").upper()
        return table_definitions.create(session, text, guarded, found["replace"] is not None, is_temporary, parts, binds)
    if verb == "DROP":
        return table_definitions.drop(session, guarded, parts)
    return table_definitions.alter(session, guarded, parts, rest)


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
        return table_definitions.already(guarded, name)
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
        return table_definitions.already(guarded, name)
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
        return table_definitions.already(guarded, name[2])
    comment = re.search(r"COMMENT\s*=\s*'((?:[^']|'')*)'", rest, re.I)
    session.catalog.create_stage(name, comment[1].replace("''", "'") if comment else "")
    return f"Stage area {name[2]} successfully created."


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
    option = lambda key: re.search(rf"\b{key}\s*=\s*'?([\w-]+)", rest, re.I)
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
