"""A stand-in for one Snowflake account, on 127.0.0.1, over DuckDB: the protocol of Snowflake's own drivers.

    python server.py --port 9200 --folder state --user U --password P --database D --warehouse W

What it takes care to do as Snowflake does:
- Transactions (docs: sql-reference/transactions): READ COMMITTED; UPDATE, DELETE, MERGE and TRUNCATE lock their table until the
  transaction ends, INSERT and COPY lock none; at most 20 wait for a lock, each for LOCK_TIMEOUT seconds; a statement that
  fails undoes itself alone; a definition commits what is open; closing a session rolls back. What a client that died has left
  open stays, locks included, until it has been idle for --idle-seconds and somebody waits for it (Snowflake: five minutes; four
  hours when nobody waits). A statement that changed no row keeps no lock here; of Snowflake that is not known.
- A request that is repeated with its requestId gets the first one's answer; one that lasts over 45 s is answered later.
- Names, types and their look in DESCRIBE and INFORMATION_SCHEMA; counts of DML; VARIANT with null apart from NULL; TRY_PARSE_JSON;
  FLATTEN; stages with PUT, LIST and REMOVE; COPY with a transforming SELECT; temporary tables of a session; a session's time zone.

What it does not, and refuses by error 000002 where that can be told: COPY of other formats than JSON and ON_ERROR other than
ABORT_STATEMENT, procedures, views, sequences, tasks, streams, pipes, constraints other than NOT NULL, time travel, clones, roles
and grants (every role may do all). And quietly:
- Times are exact to the microsecond; two names that differ in case alone are one.
- A VARIANT keeps the text it was made of; a part taken of it by a path keeps 17 digits of a fraction, unless it becomes a NUMBER
  at once.
- Deadlocks end by LOCK_TIMEOUT alone. A statement that is repeated on a new snapshot (transactions.py) sees the rows that others
  inserted meanwhile. UPDATE does not refuse rows that are joined twice.
- Clustering is remembered and does nothing; nothing costs anything.
- A temporary table has no load history; a COPY's load history knows names alone, not contents.
"""

import argparse
import base64
import signal
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from accounts import Account
from engine import Engine
from protocol import Handler, Protocol


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--account", default="standin")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--public-key", help="base64 of its DER")
    parser.add_argument("--token", action="append", default=[], help="of OAuth or workload identity")
    parser.add_argument("--database", action="append", default=[])
    parser.add_argument("--warehouse", action="append", default=[])
    parser.add_argument("--idle-seconds", type=float, default=300)
    parser.add_argument("--detach-seconds", type=float, default=45, help="after which a statement is answered later")
    given = parser.parse_args()
    key = base64.b64decode(given.public_key) if given.public_key else None
    account = Account(given.account, given.user, given.password, key, frozenset(given.token))
    engine = Engine(given.folder, given.idle_seconds)
    engine.add(given.database, given.warehouse)
    protocol = Protocol(engine, account, given.detach_seconds)

    class Bound(Handler):
        standin = protocol

    server = ThreadingHTTPServer(("127.0.0.1", given.port), Bound)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on {given.port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    engine.root.close()
    sys.exit(0)


if __name__ == "__main__":
    main()
