"""SHOW, and the history of queries."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import session as sessions
from catalog import Table
from errors import unsupported
from information import Relation, as_sql, like
from stages import parts_of
from transactions import Transaction

if TYPE_CHECKING:
    from session import Result, Session


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
    kind = lambda table: "TEMPORARY" if table.temporary else "TABLE"
    clustered = lambda table: f"LINEAR({table.cluster_by})" if table.cluster_by else ""
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
    rows = [
        [created, name, database]
        for database, name, created in session.catalog.schemas(where[0] if where else session.database)
    ]
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
            rows.append(
                [
                    each.id,
                    each.text[:100_000],
                    each.kind,
                    each.session,
                    each.warehouse,
                    each.size,
                    each.status,
                    *timed,
                    *where,
                ]
            )
    limit = re.search(r"RESULT_LIMIT\s*=>\s*(\d+)", call, re.I)
    query = as_sql((names, rows[-(int(limit[1]) if limit else 100) :]))
    times = ", ".join(f'CAST("{name}" AS TIMESTAMPTZ) AS "{name}"' for name in ("START_TIME", "END_TIME"))
    return f"(SELECT * REPLACE ({times}) FROM {query} AS history)"


def table_function(session: "Session", call: str) -> str:
    if "QUERY_HISTORY" in call.upper():
        return query_history(session, call)
    raise unsupported(f"the table function {call[:60]}")
