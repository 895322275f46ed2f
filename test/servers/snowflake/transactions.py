"""Snowflake's transactions on DuckDB's.

Snowflake is READ COMMITTED: each statement sees what is committed when it starts. DuckDB gives a transaction one snapshot. So a
transaction is kept as the list of its statements' effects: when others have committed since its snapshot was taken, or when a
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
        # The commits that DuckDB's transaction may have seen; none when there is no such transaction.
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
    """Counts what has been committed, by anybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def add(self) -> None:
        with self._lock:
            self.count += 1


class Runner:
    """Runs a session's transactions on its DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, commits: Commits) -> None:
        self._db = connection
        self._commits = commits

    def run(self, transaction: Transaction, effect: Effect, writes: bool) -> Any:
        """One statement: on what is committed now and what the transaction did before. Its failure undoes it alone."""
        try:
            for attempt in itertools.count():
                self._refresh(transaction)
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
        if writes:
            transaction.effects.append(effect)
        return result

    def commit(self, transaction: Transaction) -> None:
        for attempt in itertools.count():
            try:
                if transaction.snapshot is None and transaction.effects:
                    self._refresh(transaction)
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
            self._commits.add()

    def rollback(self, transaction: Transaction) -> None:
        self._forget(transaction)

    def _refresh(self, transaction: Transaction) -> None:
        seen = self._commits.count
        if transaction.snapshot == seen:
            return
        self._forget(transaction)
        self._db.execute("begin transaction")
        transaction.snapshot = seen
        for effect in transaction.effects:
            effect()

    def _forget(self, transaction: Transaction) -> None:
        if transaction.snapshot is not None:
            transaction.snapshot = None
            self._db.execute("rollback")
