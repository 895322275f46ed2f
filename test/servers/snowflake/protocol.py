"""The HTTP requests of Snowflake's drivers, answered with JSON rowsets, and the object store behind its stages."""

import gzip
import hashlib
import json
import re
import secrets
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb

import datatypes
from accounts import Account
from catalog import Catalog
from engine import Engine
from errors import SnowflakeError, of_duckdb
from session import DEFAULTS, Result, Session

KEPT_ANSWERS = 100
Answer = dict[str, Any]


def refusal(error: SnowflakeError, query_id: str = "") -> Answer:
    data = {"errorCode": error.code, "sqlState": error.state, "queryId": query_id, "internalError": False}
    return {"data": data, "code": error.code, "message": error.message, "success": False}


class Protocol:
    def __init__(self, engine: Engine, account: Account, detach_seconds: float) -> None:
        self.engine = engine
        self._account = account
        self._detach_seconds = detach_seconds
        self._sessions: dict[str, Session] = {}
        self._masters: dict[str, Session] = {}
        # Statements run on threads of their own: a client that goes away does not end them.
        self._threads = ThreadPoolExecutor(max_workers=256)
        self._answers: OrderedDict[str, Future[Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def login(self, query: dict[str, str], data: dict[str, Any]) -> Answer:
        try:
            user = self._account.check(data)
        except SnowflakeError as error:
            return refusal(error)
        known = Catalog(self.engine.connection())
        upper = lambda name: query.get(name, "").strip('"').upper() or None
        database, schema, warehouse = upper("databaseName"), upper("schemaName"), upper("warehouse")
        database = database if database and known.has_database(database) else None
        schema = (schema or "PUBLIC") if database else None
        if database is None or not known.has_schema(database, schema or ""):
            schema = None
        warehouse = warehouse if warehouse in self.engine.warehouses else None
        session = Session(self.engine, user.upper(), upper("roleName") or "PUBLIC", database, schema, warehouse)
        for name, value in (data.get("SESSION_PARAMETERS") or {}).items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            session.set_parameter(name.upper(), text)
        token, master = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._sessions[token] = self._masters[master] = session
        info = {
            "databaseName": database,
            "schemaName": schema,
            "warehouseName": warehouse,
            "roleName": session.role,
        }
        lifetimes = {"validityInSeconds": 3600, "masterValidityInSeconds": 14400}
        logged = {"token": token, "masterToken": master, **lifetimes, "serverVersion": "9.99.0", "sessionId": session.id}
        return {"data": {**logged, "parameters": parameters(session), "sessionInfo": info}, "success": True, "code": None}

    def session(self, token: str) -> Session:
        found = self._sessions.get(token)
        if found is None or found.is_closed:
            raise SnowflakeError(390111, "08001", "Session no longer exists.  New login required to access the service.")
        return found

    def renew(self, master: str) -> Answer:
        session = self._masters.get(master)
        if session is None or session.is_closed:
            raise SnowflakeError(390111, "08001", "Session no longer exists.  New login required to access the service.")
        token = secrets.token_urlsafe(32)
        self._sessions[token] = session
        data = {"sessionToken": token, "masterToken": master, "validityInSecondsST": 3600, "validityInSecondsMT": 14400}
        return {"data": {**data, "sessionId": session.id}, "success": True, "code": None}

    def close(self, token: str) -> Answer:
        self.session(token).close()
        return {"data": None, "code": None, "message": None, "success": True}

    def query(self, token: str, request_id: str, body: dict[str, Any], base: str) -> Answer:
        session = self.session(token)
        with self._lock:
            running = self._answers.get(request_id)
            if running is None:
                running = self._threads.submit(self._run, session, body, base)
                self._answers[request_id] = running
                while len(self._answers) > KEPT_ANSWERS * max(1, len(self._sessions)):
                    self._answers.popitem(last=False)
        return self.result(request_id, running)

    def result(self, request_id: str, running: Future[Answer] | None = None) -> Answer:
        running = running or self._answers.get(request_id)
        if running is None:
            return refusal(SnowflakeError(709, "02000", f"Statement {request_id} not found"))
        wait([running], timeout=self._detach_seconds)
        if running.done():
            return running.result()
        data = {"getResultUrl": f"/queries/{request_id}/result", "queryAbortsAfterSecs": 300}
        return {"data": data, "code": "333333", "message": None, "success": False}

    def abort(self, token: str) -> Answer:
        self.session(token).is_cancelled = True
        return {"data": None, "success": True}

    def _run(self, session: Session, body: dict[str, Any], base: str) -> Answer:
        try:
            given = body.get("bindings") or {}
            order = sorted(given, key=lambda key: int(key) if key.isdigit() else 0)
            binds = [_bind(given[key]) for key in order]
            for name, value in (body.get("parameters") or {}).items():
                if name in DEFAULTS:
                    session.set_parameter(name, str(value))
            result = session.execute(body["sqlText"], binds)
            if result.upload is None:
                data = answer(session, result)
            else:
                result.upload["stageInfo"]["endPoint"] = base
                data = {**result.upload, "queryId": session.query_id}
        except SnowflakeError as error:
            return refusal(error, session.query_id)
        except duckdb.Error as error:
            return refusal(of_duckdb(error), session.query_id)
        except Exception as error:
            return refusal(SnowflakeError(603, "XX000", f"SQL execution internal error: {error!r}"), session.query_id)
        return {"data": data, "success": True, "code": None, "message": None}


def parameters(session: Session) -> list[dict[str, Any]]:
    zone = {"name": "TIMEZONE", "value": session.parameters["TIMEZONE"]}
    # Zero: binds are sent with the statement, not as a file of a stage.
    return [zone, {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0}]


def _bind(given: dict[str, Any]) -> Any:
    kind, value = given["type"], given["value"]
    if isinstance(value, list):
        return [datatypes.bound(kind, each) for each in value]
    return datatypes.bound(kind, value)


def answer(session: Session, result: Result) -> dict[str, Any]:
    rowtype = [
        {
            "name": name,
            "type": kind.kind,
            "nullable": True,
            "length": kind.length,
            "byteLength": kind.length,
            "precision": kind.precision,
            "scale": kind.scale,
        }
        for name, kind in result.columns
    ]
    rows = [
        [datatypes.wire(value, kind) for value, (_, kind) in zip(row, result.columns, strict=True)] for row in result.rows
    ]
    return {
        "parameters": parameters(session),
        "rowtype": rowtype,
        "rowset": rows,
        "total": len(rows),
        "returned": len(rows),
        "queryId": session.query_id,
        "databaseProvider": None,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.role,
        "numberOfBinds": 0,
        "arrayBindSupported": False,
        "statementTypeId": result.type_id,
        "version": 1,
        "queryResultFormat": "json",
    }


class Handler(BaseHTTPRequestHandler):
    standin: Protocol
    protocol_version = "HTTP/1.1"
    # An answer is one write: else its second part waits for the first one's acknowledgement.
    wbufsize = 65_536
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Statements hold people's data."""

    def do_POST(self) -> None:
        body = self._body()
        try:
            reply = self._post(json.loads(body) if body else {})
        except SnowflakeError as error:
            reply = refusal(error)
        data = json.dumps(reply).encode()
        self._send(200, data, "application/json")

    def _post(self, body: dict[str, Any]) -> Answer:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/session/v1/login-request":
                return self.standin.login(query, body["data"])
            case "/session/token-request":
                return self.standin.renew(self._token())
            case "/session/heartbeat":
                self.standin.session(self._token())
                return {"data": None, "code": None, "message": None, "success": True}
            case "/session":
                return self.standin.close(self._token())
            case "/queries/v1/query-request":
                base = f"http://{self.headers.get('Host')}"
                request_id = query.get("requestId") or secrets.token_hex(16)
                return self.standin.query(self._token(), request_id, body, base)
            case "/queries/v1/abort-request":
                return self.standin.abort(self._token())
            case _:
                return {"data": None, "success": True}

    def do_GET(self) -> None:
        if found := re.fullmatch(r"/queries/([^/]+)/result", urlsplit(self.path).path):
            self._send(200, json.dumps(self.standin.result(found[1])).encode(), "application/json")
            return
        self._object(with_body=True)

    def do_HEAD(self) -> None:
        self._object(with_body=False)

    def _object(self, with_body: bool) -> None:
        path = self._file()
        if path is None or not path.is_file():
            self._send(404, b"")
            return
        data = path.read_bytes()
        self._send(200, data if with_body else b"", digest=hashlib.md5(data).hexdigest(), length=len(data))

    def do_PUT(self) -> None:
        data, path = self._read(), self._file()
        if path is None:
            self._send(400, b"")
        elif self.headers.get("Authorization") != f"Bearer {self.standin.engine.stage_token}":
            self._send(401, b"")
        else:
            self.standin.engine.stages.write(path, data)
            self._send(200, b"")

    def _file(self) -> Any:
        path = unquote(urlsplit(self.path).path)
        return self.standin.engine.stages.file(path.removeprefix("/stages/")) if path.startswith("/stages/") else None

    def _token(self) -> str:
        found = re.search(r'Token="([^"]*)"', self.headers.get("Authorization", ""))
        return found[1] if found else ""

    def _body(self) -> bytes:
        data = self._read()
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(
        self, status: int, body: bytes, kind: str = "application/octet-stream", digest: str = "", length: int = -1
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        if digest:
            self.send_header("ETag", f'"{digest}"')
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
