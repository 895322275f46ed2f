"""The account: what its sessions share."""

import itertools
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import catalog
import functions
from catalog import Catalog
from stages import Stages
from transactions import Commits, Locks, Transaction

if TYPE_CHECKING:
    from session import Session


@dataclass
class Warehouse:
    name: str
    state: str = "STARTED"
    size: str = "X-Small"
    auto_suspend: int = 600
    created: float = field(default_factory=time.time)
    resumed: float = field(default_factory=time.time)
    used: float = field(default_factory=time.time)

    def now(self) -> str:
        """Its state, after the seconds without work after which it suspends itself."""
        if self.state == "STARTED" and self.auto_suspend > 0 and time.time() - self.used > self.auto_suspend:
            self.state = "SUSPENDED"
        return self.state

    def use(self) -> None:
        if self.now() == "SUSPENDED":
            self.state = "STARTED"
            self.resumed = time.time()
        self.used = time.time()


@dataclass(frozen=True)
class Query:
    """An entry of the query history."""

    id: str
    text: str
    kind: str
    session: int
    warehouse: str | None
    size: str | None
    status: str
    started: float
    ended: float
    rows: int
    tag: str


class Engine:
    def __init__(self, folder: Path, idle_seconds: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Statements of many sessions run beside each other on a machine of few cores, and not for its own sake.
        self.root = duckdb.connect(str(folder / "account.duckdb"), config={"threads": "2", "memory_limit": "2GB"})
        functions.add_to(self.root)
        self.root.execute(catalog.SETUP)
        self.stages = Stages(folder / "stages")
        self.locks = Locks(idle_seconds)
        self.locks.abort = self.abort
        self.commits = Commits()
        self.ddl = threading.RLock()
        self.warehouses: dict[str, Warehouse] = {}
        self.history: list[Query] = []
        self.sessions: dict[int, Session] = {}
        self.stage_token = secrets.token_urlsafe(24)
        self.session_ids = itertools.count(1)
        self._connecting = threading.Lock()

    def connection(self) -> duckdb.DuckDBPyConnection:
        with self._connecting:
            return self.root.cursor()

    def add(self, databases: list[str], warehouses: list[str]) -> None:
        known = Catalog(self.root)
        for name in databases:
            if not known.has_database(name):
                known.create_database(name)
        for name in warehouses:
            self.warehouses[name] = Warehouse(name)

    def abort(self, transaction: Transaction) -> None:
        """Ends what has been idle for long; not when its session has begun a statement meanwhile."""
        for session in list(self.sessions.values()):
            if session.transaction is transaction and session.busy.acquire(blocking=False):
                try:
                    if session.transaction is transaction:
                        session.end_open(commit=False)
                finally:
                    session.busy.release()

    def note(self, query: Query) -> None:
        self.history.append(query)
        del self.history[:-10_000]
