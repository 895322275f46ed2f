"""Transactions, USE, DESCRIBE, LIST, REMOVE and PUT; SHOW is in show.py."""

import re
import time
from typing import TYPE_CHECKING, Any

import session as sessions
import show
from catalog import Name
from errors import SnowflakeError, missing, syntax, unsupported
from information import describe
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


def describe_table(session: "Session", text: str, _: list[Any]) -> "Result":
    found = re.fullmatch(r"DESC(?:RIBE)?\s+TABLE\s+(\S+)", text, re.I)
    if found is None:
        raise unsupported(text[:60])
    return show.result(describe(session.table(parts_of(found[1]))), 0x4500)


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
    return show.result(("name size md5 last_modified".split(), [list(row) for row in rows]), sessions.OTHER)


def remove_files(session: "Session", text: str, _: list[Any]) -> "Result":
    rows = session.engine.stages.remove(location(session, text), _pattern(text))
    return show.result(("name result".split(), [list(row) for row in rows]), sessions.OTHER)


def put(session: "Session", text: str, _: list[Any]) -> "Result":
    """The client uploads, to where this says: an object store with Google's API, since that takes any address."""
    found = re.match(r"PUT\s+(?:'file://((?:[^'])*)'|file://(\S+))\s+(.*)", text, re.I | re.S)
    if found is None:
        raise syntax("PUT")
    at = location(session, found[3])
    option = lambda name, default: (re.search(rf"\b{name}\s*=\s*(\w+)", found[3], re.I) or [0, default])[1]
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
    "SHOW": show.show,
    "DESC": describe_table,
    "DESCRIBE": describe_table,
    "LIST": list_files,
    "LS": list_files,
    "REMOVE": remove_files,
    "RM": remove_files,
    "PUT": put,
    "CALL": wait,
}
