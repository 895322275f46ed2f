"""Snowflake's transactions on DuckDB's.

Snowflake is READ COMMITTED: each statement sees what is committed when it starts. DuckDB gives a transaction one snapshot. So a
transaction is kept as the list of its statements' effects: when others have changed what a statement reads since, or when a
statement of it has failed (which ends DuckDB's transaction, but not Snowflake's), the DuckDB transaction is begun anew and the
effects are repeated on it. Tables that UPDATE, DELETE or MERGE changed are locked until the end, so repeating finds in them what
was found before, apart from rows that others have inserted there meanwhile.
"""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import duckdb

from catalog import Name
from errors import SnowflakeError

MAX_WAITERS = 20
MAX_REPEATS = 50

Effect = Callable[[], Any]
_ids = itertools.count(int(time.time() * 1000))


class Transaction:
    def __init__(self) -> None:
        self.id = next(_ids)
        self.effects: list[Effect] = []
        self.written: set[Name] = set()
        # How many commits DuckDB's transaction has seen at least; none when there is no such transaction.
        self.snapshot: int | None = None
        self.is_busy = False
        self.last_used = time.monotonic()
        self.last_query = ""
        self.name = ""


class Locks:
    """Which transaction holds which table. `abort` ends a transaction that is not busy, and frees what it holds."""

    def __init__(self, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self.abort: Callable[[Transaction], None] = lambda _: None
        self._changed = threading.Condition()
        self._holders: dict[Name, Transaction] = {}
        self._waiters: dict[Name, list[Transaction]] = {}

    def all(self) -> list[tuple[str, Name, Transaction]]:
        with self._changed:
            holding = [("HOLDING", table, holder) for table, holder in self._holders.items()]
            return holding + [("WAITING", table, each) for table, waiters in self._waiters.items() for each in waiters]

    def acquire(
        self, transaction: Transaction, table: Name, seconds: float, query: str, is_cancelled: Callable[[], bool]
    ) -> bool:
        """Whether it was not held by this transaction before."""
        with self._changed:
            if self._holders.get(table) is transaction:
                return False
            self._queue(transaction, table, seconds, query, is_cancelled)
            self._holders[table] = transaction
            return True

    def _queue(
        self, transaction: Transaction, table: Name, seconds: float, query: str, is_cancelled: Callable[[], bool]
    ) -> None:
        deadline = time.monotonic() + seconds
        waiters = self._waiters.setdefault(table, [])
        if table in self._holders and len(waiters) >= MAX_WAITERS:
            raise self._refusal(
                table, query, f"the number of waiters for this lock exceeds the {MAX_WAITERS} statements limit"
            )
        waiters.append(transaction)
        try:
            while (holder := self._holders.get(table)) is not None:
                now = time.monotonic()
                if is_cancelled():
                    raise SnowflakeError(604, "57014", "SQL execution canceled")
                if not holder.is_busy and now - holder.last_used >= self.idle_seconds:
                    self.abort(holder)
                    continue
                if now >= deadline:
                    raise self._refusal(table, query, "the number of seconds waited for it exceeds LOCK_TIMEOUT")
                self._changed.wait(min(deadline - now, 0.05))
        finally:
            waiters.remove(transaction)

    def _refusal(self, table: Name, query: str, why: str) -> SnowflakeError:
        holder = self._holders[table]
        return SnowflakeError(
            625,
            "57014",
            f"Statement '{holder.last_query}' has locked table '{table[2]}' in transaction {holder.id} and this lock has not yet"
            f" been released.\nYour statement '{query}' was aborted because {why}.",
        )

    def release(self, transaction: Transaction, table: Name | None = None) -> None:
        """One table, or all it holds."""
        with self._changed:
            for name in [name for name, holder in self._holders.items() if holder is transaction and table in (None, name)]:
                del self._holders[name]
            self._changed.notify_all()


class Commits:
    """Counts what has been committed, by anybody, and knows which commit was the last of each table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[Name, int] = {}
        self._defined = 0
        self.count = 0

    def add(self, tables: set[Name]) -> None:
        with self._lock:
            self.count += 1
            self._last.update(dict.fromkeys(tables, self.count))

    def add_definition(self) -> None:
        """Of a table, a schema or anything else that others may name."""
        with self._lock:
            self.count += 1
            self._defined = self.count

    def defined_since(self, count: int) -> bool:
        return self._defined > count

    def changed_since(self, count: int, tables: set[Name]) -> bool:
        return any(self._last.get(table, 0) > count for table in tables)


class Runner:
    """Runs a session's transactions on its DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, commits: Commits) -> None:
        self._db = connection
        self._commits = commits

    def see_definitions(self, transaction: Transaction) -> None:
        """Before names are looked up: what others have defined meanwhile is there."""
        if transaction.snapshot is not None and self._commits.defined_since(transaction.snapshot):
            self._forget(transaction)

    def run(self, transaction: Transaction, effect: Effect, reads: set[Name], writes: Name | None) -> Any:
        """One statement: on what is committed now and what the transaction did before. Its failure undoes it alone."""
        try:
            for attempt in itertools.count():
                self._refresh(transaction, reads)
                try:
                    result = effect()
                    break
                except duckdb.TransactionException:
                    self._forget(transaction)
                    if attempt >= MAX_REPEATS:
                        raise
        except BaseException:
            self._forget(transaction)
            raise
        if writes is not None:
            transaction.effects.append(effect)
            transaction.written.add(writes)
        return result

    def commit(self, transaction: Transaction) -> None:
        for attempt in itertools.count():
            try:
                if transaction.snapshot is None and transaction.effects:
                    self._refresh(transaction, set())
                if transaction.snapshot is not None:
                    self._db.execute("commit")
                    transaction.snapshot = None
                break
            except duckdb.TransactionException:
                # Somebody else's commit and ours are one row's: only the rows of Snowflake's own tables can be.
                self._forget(transaction)
                if attempt >= MAX_REPEATS:
                    raise
        if transaction.effects:
            self._commits.add(transaction.written)

    def rollback(self, transaction: Transaction) -> None:
        self._forget(transaction)

    def _refresh(self, transaction: Transaction, reads: set[Name]) -> None:
        """Takes a new snapshot when others have changed what is read since the last one."""
        if transaction.snapshot is not None and not self._commits.changed_since(transaction.snapshot, reads):
            return
        self._forget(transaction)
        seen = self._commits.count
        self._db.execute("begin transaction")
        transaction.snapshot = seen
        for effect in transaction.effects:
            effect()

    def _forget(self, transaction: Transaction) -> None:
        if transaction.snapshot is not None:
            transaction.snapshot = None
            self._db.execute("rollback")
