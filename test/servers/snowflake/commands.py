"""Statements that are neither queries nor changes of data: transactions, USE, SHOW, DESCRIBE, LIST, REMOVE and PUT."""

import datetime as dt
import re
import time
from typing import TYPE_CHECKING, Any

import session as sessions
from catalog import Name, Table
from errors import SnowflakeError, missing, syntax, unsupported
from information import Relation, as_sql, describe, like
from stages import STAGE, Location, parts_of
from transactions import Transaction

if TYPE_CHECKING:
    from session import Result, Session


def begin(session: "Session", text: str, _: list[Any]) -> "Result":
    """A BEGIN within a transaction is ignored."""
    named = re.fullmatch(r'(?:BEGIN(?:\s+WORK|\s+TRANSACTION)?|START\s+TRANSACTION)(?:\s+NAME\s+"?([^"\s]+)"?)?', text, re.I)
    if named is None:
        raise unsupported("anonymous blocks")
    if session.transaction is None:
        session.transaction = Transaction()
        session.transaction.is_busy = True
        session.transaction.name = named[1] or session.query_id
    return sessions.status(type_id=sessions.TRANSACTION)


def commit(session: "Session", _: str, __: list[Any]) -> "Result":
    session.end_open(commit=True)
    return sessions.status(type_id=sessions.TRANSACTION)


def rollback(session: "Session", _: str, __: list[Any]) -> "Result":
    session.end_open(commit=False)
    return sessions.status(type_id=sessions.TRANSACTION)


def abort(session: "Session", number: int) -> "Result":
    """SYSTEM$ABORT_TRANSACTION: whose transaction it was has none then."""
    said = "Transaction is not running."
    for other in session.engine.sessions.values():
        if other.transaction is not None and other.transaction.id == number:
            with other.busy:
                if other.transaction is not None and other.transaction.id == number:
                    other.end_open(commit=False)
                    said = "Aborted transaction id: " + str(number)
    return sessions.Result([("SYSTEM$ABORT_TRANSACTION", sessions.TEXT)], [[said]])


def use(session: "Session", text: str, _: list[Any]) -> "Result":
    found = re.fullmatch(r"USE\s+(?:(DATABASE|SCHEMA|WAREHOUSE|ROLE)\s+)?(\S+)", text, re.I)
    if found is None:
        raise unsupported(text[:60])
    kind, parts = (found[1] or "DATABASE").upper(), parts_of(found[2])
    if kind == "WAREHOUSE":
        if parts[-1] not in session.engine.warehouses:
            raise missing(parts[-1])
        session.warehouse = parts[-1]
    elif kind == "ROLE":
        session.role = parts[-1]
    elif kind == "SCHEMA" or len(parts) == 2:
        database = parts[0] if len(parts) == 2 else session.database
        session.catalog.require_schema(database or "", parts[-1])
        session.database, session.schema = database, parts[-1]
    else:
        if not session.catalog.has_database(parts[0]):
            raise missing(parts[0])
        session.database, session.schema = parts[0], "PUBLIC"
    return sessions.status()


def result(relation: Relation, kind: int = 0x4400) -> "Result":
    return sessions.Result([(name, sessions.TEXT) for name in relation[0]], relation[1], kind)


def show(session: "Session", text: str, _: list[Any]) -> "Result":
    found = re.fullmatch(
        r"SHOW\s+(?:TERSE\s+)?(?P<what>\w+)(?:\s+LIKE\s+'(?P<like>(?:[^'\\]|\\.|'')*)')?"
        r"(?:\s+IN\s+(?:(?P<kind>ACCOUNT|DATABASE|SCHEMA|TABLE|SESSION)\b)?\s*(?P<where>\S+)?)?(?:\s+LIMIT\s+(?P<limit>\d+))?",
        text,
        re.I | re.S,
    )
    if found is None or (make := _SHOWN.get(found["what"].upper())) is None:
        raise unsupported(text[:60])
    names, rows = make(session, parts_of(found["where"]) if found["where"] else [])
    if (pattern := found["like"]) is not None:
        # A backslash of the literal is one of the pattern when it is doubled.
        pattern = pattern.replace("''", "'").replace("\\\\", "\\")
        at = names.index("name") if "name" in names else names.index("key")
        rows = [row for row in rows if like(pattern, row[at])]
    return result((names, rows[: int(found["limit"])] if found["limit"] else rows))


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def _warehouses(session: "Session", _: list[str]) -> Relation:
    names = "name state type size running queued is_current auto_suspend auto_resume created_on resumed_on".split()
    rows = []
    for each in session.engine.warehouses.values():
        current = "Y" if each.name == session.warehouse else "N"
        state, busy = each.now(), 0
        when = _iso(each.created), _iso(each.resumed)
        rows.append([each.name, state, "STANDARD", each.size, busy, 0, current, each.auto_suspend, "true", *when])
    return names, rows


def _scope(session: "Session", where: list[str]) -> tuple[str | None, str | None]:
    if len(where) == 2:
        return where[0], where[1]
    if len(where) == 1 and session.catalog.has_database(where[0]):
        return where[0], None
    return session.database, where[0] if where else session.schema


def _within(name: tuple[str, ...], scope: tuple[str | None, str | None]) -> bool:
    return scope[0] in (None, name[0]) and scope[1] in (None, name[1])


def _require(session: "Session", scope: tuple[str | None, str | None]) -> None:
    if scope[0] is not None and scope[1] is not None:
        session.catalog.require_schema(scope[0], scope[1])


def _tables(session: "Session", where: list[str]) -> Relation:
    scope = _scope(session, where)
    _require(session, scope)
    names = "created_on name database_name schema_name kind comment cluster_by rows owner".split()
    every = [*session.catalog.tables(), *session.temporary.values()]
    kind = lambda table: "TEMPORARY" if table.temporary else "TABLE"  # noqa: E731
    clustered = lambda table: f"LINEAR({table.cluster_by})" if table.cluster_by else ""  # noqa: E731
    rows = [
        [t.created, t.name[2], t.name[0], t.name[1], kind(t), t.comment, clustered(t), _rows(session, t), session.role or ""]
        for t in every
        if _within(t.name, scope)
    ]
    return names, rows


def _rows(session: "Session", table: Table) -> int:
    return session.db.execute(f"select count(*) from {table.physical()}").fetchall()[0][0]


def _stages(session: "Session", where: list[str]) -> Relation:
    scope = _scope(session, where)
    _require(session, scope)
    names = "created_on name database_name schema_name url type comment owner".split()
    rows = [
        [at, name, database, schema, "", "INTERNAL", comment, session.role or ""]
        for database, schema, name, at, comment in session.catalog.stages()
        if _within((database, schema), scope)
    ]
    return names, rows


def _schemas(session: "Session", where: list[str]) -> Relation:
    rows = [[created, name, database] for database, name, created in session.catalog.schemas(where[0] if where else session.database)]
    return "created_on name database_name".split(), rows


def _databases(session: "Session", _: list[str]) -> Relation:
    return "created_on name".split(), [[created, name] for name, created in session.catalog.databases()]


def _parameters(session: "Session", _: list[str]) -> Relation:
    rows = [[name, value, sessions.DEFAULTS.get(name, ""), ""] for name, value in sorted(session.parameters.items())]
    return "key value default level".split(), rows


def _locks(session: "Session", _: list[str]) -> Relation:
    names = "resource type transaction transaction_started_on status acquired_on query_id session".split()
    rows = []
    for status, table, each in session.engine.locks.all():
        owner = _owner(session, each)
        rows.append([".".join(table), "PARTITIONS", each.id, _iso(each.id / 1000), status, None, each.last_query, owner])
    return names, rows


def _owner(session: "Session", transaction: Transaction) -> int | None:
    return next((other.id for other in session.engine.sessions.values() if other.transaction is transaction), None)


def _transactions(session: "Session", _: list[str]) -> Relation:
    names = "id user session name started_on state scope".split()
    rows = [
        [other.transaction.id, other.user, other.id, other.transaction.name, _iso(other.transaction.id / 1000), "running", 0]
        for other in session.engine.sessions.values()
        if other.transaction is not None
    ]
    return names, rows


_SHOWN = {
    "WAREHOUSES": _warehouses,
    "TABLES": _tables,
    "STAGES": _stages,
    "SCHEMAS": _schemas,
    "DATABASES": _databases,
    "PARAMETERS": _parameters,
    "LOCKS": _locks,
    "TRANSACTIONS": _transactions,
}


def describe_table(session: "Session", text: str, _: list[Any]) -> "Result":
    found = re.fullmatch(r"DESC(?:RIBE)?\s+TABLE\s+(\S+)", text, re.I)
    if found is None:
        raise unsupported(text[:60])
    return result(describe(session.table(parts_of(found[1]))), 0x4500)


def location(session: "Session", text: str) -> Location:
    found = STAGE.search(text)
    if found is None:
        raise syntax("no stage is named")
    return Location(stage_name(session, found["stage"]), (found["path"] or "").removeprefix("/"))


def stage_name(session: "Session", text: str) -> Name:
    name = session.name_of(parts_of(text))
    if not session.catalog.has_stage(name):
        words = f"SQL compilation error:\nStage '{'.'.join(name)}' does not exist or not authorized."
        raise SnowflakeError(2003, "02000", words)
    return name


def _pattern(text: str) -> str | None:
    found = re.search(r"PATTERN\s*=\s*'([^']*)'", text, re.I)
    return found[1] if found else None


def list_files(session: "Session", text: str, _: list[Any]) -> "Result":
    rows = session.engine.stages.listing(location(session, text), _pattern(text))
    return result(("name size md5 last_modified".split(), [list(row) for row in rows]), sessions.OTHER)


def remove_files(session: "Session", text: str, _: list[Any]) -> "Result":
    rows = session.engine.stages.remove(location(session, text), _pattern(text))
    return result(("name result".split(), [list(row) for row in rows]), sessions.OTHER)


def put(session: "Session", text: str, _: list[Any]) -> "Result":
    """The client uploads, to where this says: an object store with Google's API, since that takes any address."""
    found = re.match(r"PUT\s+(?:'file://((?:[^'])*)'|file://(\S+))\s+(.*)", text, re.I | re.S)
    if found is None:
        raise syntax("PUT")
    at = location(session, found[3])
    option = lambda name, default: (re.search(rf"\b{name}\s*=\s*(\w+)", found[3], re.I) or [0, default])[1]  # noqa: E731
    upload = {
        "command": "UPLOAD",
        "operation": "Node",
        "src_locations": [found[1] or found[2]],
        "autoCompress": option("AUTO_COMPRESS", "TRUE").upper() == "TRUE",
        "sourceCompression": option("SOURCE_COMPRESSION", "auto_detect").lower(),
        "overwrite": option("OVERWRITE", "FALSE").upper() == "TRUE",
        "parallel": int(option("PARALLEL", "4")),
        "stageInfo": {
            "locationType": "GCS",
            "location": f"stages/{session.engine.stages.folder(at.stage).name}/{at.path}",
            "region": "us-central1",
            "useRegionalUrl": False,
            "creds": {"GCS_ACCESS_TOKEN": session.engine.stage_token},
        },
    }
    return sessions.Result([], [], sessions.OTHER, upload)


def query_history(session: "Session", call: str) -> str:
    """Of this session alone, as QUERY_HISTORY_BY_SESSION gives it; its arguments narrow nothing but the count."""
    names = (
        "QUERY_ID QUERY_TEXT QUERY_TYPE SESSION_ID WAREHOUSE_NAME WAREHOUSE_SIZE EXECUTION_STATUS START_TIME END_TIME"
        " TOTAL_ELAPSED_TIME EXECUTION_TIME ROWS_PRODUCED QUERY_TAG DATABASE_NAME SCHEMA_NAME USER_NAME"
    ).split()
    rows = []
    for each in session.engine.history:
        if each.session == session.id:
            millis = round((each.ended - each.started) * 1000)
            where = [session.database, session.schema, session.user]
            timed = [_iso(each.started), _iso(each.ended), millis, millis, each.rows, each.tag]
            rows.append([each.id, each.text[:100_000], each.kind, each.session, each.warehouse, each.size, each.status, *timed, *where])
    limit = re.search(r"RESULT_LIMIT\s*=>\s*(\d+)", call, re.I)
    query = as_sql((names, rows[-(int(limit[1]) if limit else 100) :]))
    return f'(SELECT * REPLACE (CAST("START_TIME" AS TIMESTAMPTZ) AS "START_TIME", CAST("END_TIME" AS TIMESTAMPTZ) AS "END_TIME") FROM {query} AS history)'


def table_function(session: "Session", call: str) -> str:
    if "QUERY_HISTORY" in call.upper():
        return query_history(session, call)
    raise unsupported(f"the table function {call[:60]}")


def wait(_: "Session", text: str, __: list[Any]) -> "Result":
    """CALL SYSTEM$WAIT(seconds): a statement that takes its time."""
    found = re.fullmatch(r"CALL\s+SYSTEM\$WAIT\s*\(\s*(\d+)\s*\)", text, re.I)
    if found is None:
        raise unsupported(text[:60])
    time.sleep(min(int(found[1]), 120))
    return sessions.status()


COMMANDS = {
    "BEGIN": begin,
    "START": begin,
    "COMMIT": commit,
    "ROLLBACK": rollback,
    "USE": use,
    "SHOW": show,
    "DESC": describe_table,
    "DESCRIBE": describe_table,
    "LIST": list_files,
    "LS": list_files,
    "REMOVE": remove_files,
    "RM": remove_files,
    "PUT": put,
    "CALL": wait,
}
