"""A session: runs statements one at a time, as Snowflake would."""

import datetime as dt
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import duckdb

import commands
import definitions
import dialect
import dml
import errors
import show
from catalog import Catalog, Name, Table, quoted
from datatypes import DataType, of_duckdb
from engine import Engine, Query
from errors import SnowflakeError, missing
from information import information_schema
from transactions import Runner, Transaction

TEXT = DataType("text", length=16_777_216)
STATUS = [("status", TEXT)]

# statementTypeId, by which the SDK tells DML and its counts.
SELECT, DML, INSERT, UPDATE, DELETE, MERGE, COPY = 0x1000, 0x3000, 0x3100, 0x3200, 0x3300, 0x3400, 0x3600
OTHER, TRANSACTION, DEFINITION = 0x4000, 0x5000, 0x6000


@dataclass
class Result:
    columns: list[tuple[str, DataType]]
    rows: list[list[Any]]
    type_id: int = SELECT
    # Of PUT: what the client is to do.
    upload: dict[str, Any] | None = None


def status(text: str = "Statement executed successfully.", type_id: int = OTHER) -> Result:
    return Result(STATUS, [[text]], type_id)


def numbers(names: list[str], values: list[int], type_id: int) -> Result:
    return Result([(name, DataType("fixed", 19, 0)) for name in names], [list(values)], type_id)


DEFAULTS = {"AUTOCOMMIT": "true", "LOCK_TIMEOUT": "43200", "TIMEZONE": "America/Los_Angeles", "QUERY_TAG": ""}


@dataclass
class Session:
    engine: Engine
    user: str
    role: str | None = None
    database: str | None = None
    schema: str | None = None
    warehouse: str | None = None
    parameters: dict[str, str] = field(default_factory=lambda: dict(DEFAULTS))
    temporary: dict[Name, Table] = field(default_factory=dict)
    transaction: Transaction | None = None
    query_id: str = ""
    last_query_id: str = ""
    is_closed: bool = False
    is_cancelled: bool = False

    def __post_init__(self) -> None:
        self.id = next(self.engine.session_ids)
        self.db = self.engine.connection()
        self.catalog = Catalog(self.db)
        self.runner = Runner(self.db, self.engine.commits)
        # The tables that a statement names, once for each time; temporary ones are not others' business.
        self.reads: list[Name] = []
        # One statement at a time; another session's wait for a lock may end this one's transaction between two.
        self.busy = threading.RLock()
        self.set_parameter("TIMEZONE", self.parameters["TIMEZONE"])
        self.engine.sessions[self.id] = self

    def execute(self, text: str, binds: list[Any]) -> Result:
        """SnowflakeError when it is refused."""
        with self.busy:
            if self.is_closed:
                raise SnowflakeError(390111, "08001", "Session no longer exists.  New login required to access the service.")
            self.query_id, self.is_cancelled = str(uuid.uuid4()), False
            text = text.strip().rstrip(";").strip()
            began, outcome, rows = time.time(), "SUCCESS", 0
            transaction = self.transaction
            if transaction is not None:
                transaction.is_busy = True
            try:
                result = self._run(text, binds)
                rows = len(result.rows)
                return result
            except duckdb.Error as error:
                outcome = "FAIL"
                raise errors.of_duckdb(error) from error
            except SnowflakeError:
                outcome = "FAIL"
                raise
            finally:
                for each in (transaction, self.transaction):
                    if each is not None:
                        each.is_busy, each.last_used = False, time.monotonic()
                self._note(text, began, outcome, rows)

    def _note(self, text: str, began: float, outcome: str, rows: int) -> None:
        self.last_query_id = self.query_id
        used = self.engine.warehouses.get(self.warehouse or "")
        kind = text.split(None, 1)[0].upper() if text else ""
        tag, size = self.parameters["QUERY_TAG"], used.size if used else None
        name = used.name if used else None
        self.engine.note(Query(self.query_id, text, kind, self.id, name, size, outcome, began, time.time(), rows, tag))

    def _run(self, text: str, binds: list[Any]) -> Result:
        self.reads = []
        if self.transaction is not None:
            self.runner.see_definitions(self.transaction)
        word = re.match(r"\w*", text)[0].upper()
        if (command := commands.COMMANDS.get(word)) is not None:
            return command(self, text, binds)
        if word in ("CREATE", "DROP", "ALTER"):
            return definitions.define(self, text, binds)
        if word in ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY"):
            return dml.change(self, word, text, binds)
        return self.query(text, binds)

    def query(self, text: str, binds: list[Any]) -> Result:
        if aborted := re.fullmatch(r"SELECT\s+SYSTEM\$ABORT_TRANSACTION\s*\(\s*'?(\d+)'?\s*\).*", text, re.I | re.S):
            return commands.abort(self, int(aborted[1]))
        sql = dialect.translate(dialect.parse(text), self.around())
        self.use_warehouse()
        return self.statement(lambda: self.fetch(sql, binds))

    def fetch(self, sql: str, binds: list[Any]) -> Result:
        self.db.execute(sql, binds)
        described = self.db.description or []
        columns = [(column[0], of_duckdb(str(column[1]))) for column in described]
        return Result(columns, [list(row) for row in self.db.fetchall()])

    def statement(self, effect: Any, writes: Name | None = None, locks: Name | None = None) -> Any:
        """Runs in the open transaction, or in one of its own. A statement that changed nothing keeps no lock."""
        transaction = self.transaction
        if transaction is None:
            transaction = Transaction()
            transaction.is_busy = True
            if self.parameters["AUTOCOMMIT"] == "false" and writes is not None:
                self.transaction = transaction
        is_own = transaction is not self.transaction
        transaction.last_query = self.query_id
        is_new = locks is not None and self._lock(transaction, locks)
        try:
            result = self.runner.run(transaction, effect, set(self.reads), writes)
            if is_own:
                self.end(transaction, commit=True)
            elif is_new and result == 0:
                self.engine.locks.release(transaction, locks)
            return result
        except BaseException:
            if is_own:
                self.end(transaction, commit=False)
            elif is_new:
                self.engine.locks.release(transaction, locks)
            raise

    def _lock(self, transaction: Transaction, table: Name) -> bool:
        seconds = float(self.parameters["LOCK_TIMEOUT"])
        waits = lambda: self.is_cancelled or self.is_closed
        return self.engine.locks.acquire(transaction, table, seconds, self.query_id, waits)

    def end(self, transaction: Transaction, commit: bool) -> None:
        try:
            if commit:
                self.runner.commit(transaction)
            else:
                self.runner.rollback(transaction)
        finally:
            self.engine.locks.release(transaction)
            if self.transaction is transaction:
                self.transaction = None

    def end_open(self, commit: bool) -> None:
        if self.transaction is not None:
            self.end(self.transaction, commit)

    def close(self) -> None:
        """Rolls back what is open. A statement that waits for a lock gives up; one that runs is let finish."""
        self.is_closed = True
        self.engine.sessions.pop(self.id, None)
        with self.busy:
            self.end_open(commit=False)
            self.db.close()

    def use_warehouse(self) -> None:
        used = self.engine.warehouses.get(self.warehouse or "")
        if used is None:
            remedy = "Select an active warehouse with the 'use warehouse' command."
            raise SnowflakeError(606, "57P03", f"No active warehouse selected in the current session.  {remedy}")
        used.use()

    def set_parameter(self, name: str, value: str) -> None:
        if name == "TIMEZONE":
            try:
                self.db.execute(f"set TimeZone = '{value}'")
            except duckdb.Error as error:
                raise SnowflakeError(1008, "22023", f"invalid value [{value}] for parameter 'TIMEZONE'") from error
        if name == "TRANSACTION_ABORT_ON_ERROR" and value.lower() == "true":
            raise errors.unsupported("TRANSACTION_ABORT_ON_ERROR")
        if name == "AUTOCOMMIT":
            self.end_open(commit=True)
        self.parameters[name] = value.lower() if name == "AUTOCOMMIT" else value

    def name_of(self, parts: list[str]) -> Name:
        if len(parts) > 3:
            raise errors.syntax(f"the name {'.'.join(parts)}")
        known = [*([None] * (3 - len(parts))), *parts]
        database, schema = known[0] or self.database, known[1] or self.schema
        if database is None:
            raise SnowflakeError(
                90105,
                "22000",
                "This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
            )
        if schema is None:
            raise SnowflakeError(
                90106, "22000", "This session does not have a current schema. Call 'USE SCHEMA', or use a qualified name."
            )
        return database, schema, known[2]

    def find(self, name: Name) -> Table | None:
        """A temporary table hides a permanent one of its name."""
        return self.temporary.get(name) or self.catalog.table(name)

    def table(self, parts: list[str]) -> Table:
        name = self.name_of(parts)
        found = self.find(name)
        if found is None:
            raise missing(".".join(quoted(part) for part in name))
        return found

    def around(self, also: dict[str, str] | None = None) -> dialect.Surroundings:
        """What names and functions stand for in one statement; `also`: tables that are only there."""

        def resolve(parts: list[str]) -> str:
            if also is not None and len(parts) == 1 and parts[0] in also:
                return also[parts[0]]
            if len(parts) > 1 and parts[-2] == "INFORMATION_SCHEMA":
                return information_schema(self, parts[0] if len(parts) == 3 else self.database, parts[-1])
            table = self.table(parts)
            if not table.temporary:
                self.reads.append(table.name)
            return table.physical()

        return dialect.Surroundings(resolve, self._constants(), lambda name: show.table_function(self, name))

    def _constants(self) -> dict[str, str]:
        """Of one statement; repeating it gives the same."""
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(" ")
        text = lambda value: "CAST(NULL AS TEXT)" if value is None else "'" + str(value).replace("'", "''") + "'"
        return {
            "CURRENT_TIMESTAMP": f"TIMESTAMPTZ '{now}+00'",
            "SYSDATE": f"TIMESTAMP '{now}'",
            "CURRENT_TRANSACTION": text(self.transaction and self.transaction.id),
            "CURRENT_SESSION": text(self.id),
            "CURRENT_USER": text(self.user),
            "CURRENT_ROLE": text(self.role),
            "CURRENT_WAREHOUSE": text(self.warehouse),
            "CURRENT_DATABASE": text(self.database),
            "CURRENT_SCHEMA": text(self.schema),
            "CURRENT_VERSION": text("9.99.0"),
            "LAST_QUERY_ID": text(self.last_query_id or None),
        }
