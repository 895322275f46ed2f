"""INSERT, UPDATE, DELETE, MERGE, TRUNCATE and COPY INTO: what they change, and the counts they tell."""

import re
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import Expr, exp

import commands
import dialect
import session as sessions
from catalog import Table, quoted
from errors import SnowflakeError, of_duckdb, unsupported
from stages import COPY_COLUMNS, Copy, Location, compression_of, copied, not_found, parse_copy, parts_of, staged_rows

if TYPE_CHECKING:
    from session import Result, Session

SEMI_STRUCTURED = ("variant", "object", "array")


def change(session: "Session", word: str, text: str, binds: list[Any]) -> "Result":
    if word == "COPY":
        return copy(session, parse_copy(text))
    if word == "TRUNCATE":
        return truncate(session, text)
    expression = dialect.parse(text)
    table = session.table(dialect.table_parts(_target(expression)))
    session.use_warehouse()
    if isinstance(expression, exp.Insert) and not isinstance(expression.this, exp.Schema):
        # Those that there are now: more may have been added when the statement is repeated.
        columns = [exp.to_identifier(column.name, quoted=True) for column in table.columns]
        expression.set("this", exp.Schema(this=expression.this, expressions=columns))
    sql = dialect.translate(expression, session.around())
    match expression:
        case exp.Insert():
            return insert(session, expression, table, sql, binds)
        case exp.Update() | exp.Delete():
            count = session.statement(lambda: _count(session, sql, binds), table.name, _lockable(table))
            if isinstance(expression, exp.Delete):
                return sessions.numbers(["number of rows deleted"], [count], sessions.DELETE)
            names = ["number of rows updated", "number of multi-joined rows updated"]
            return sessions.numbers(names, [count, 0], sessions.UPDATE)
        case exp.Merge():
            return merge(session, expression, table, sql, binds)
        case _:
            raise unsupported(text[:60])


def _target(expression: Expr) -> exp.Table:
    found = expression.this
    if isinstance(found, exp.Schema):
        found = found.this
    if not isinstance(found, exp.Table):
        raise unsupported(expression.sql(dialect="snowflake")[:60])
    return found


def _lockable(table: Table) -> Any:
    """A temporary table is seen by its session alone."""
    return None if table.temporary else table.name


def _count(session: "Session", sql: str, binds: list[Any]) -> int:
    return session.db.execute(sql, binds).fetchall()[0][0]


def insert(session: "Session", expression: exp.Insert, table: Table, sql: str, binds: list[Any]) -> "Result":
    if expression.args.get("overwrite"):
        raise unsupported("INSERT OVERWRITE")
    rows = _rows(binds)
    if table.name in session.reads:
        # Unless the rows come from it too, what others insert beside does not matter.
        session.reads.remove(table.name)

    def effect() -> int:
        _check_types(session, expression, table, rows[0])
        return sum(_count(session, sql, row) for row in rows)

    count = session.statement(effect, table.name)
    return sessions.numbers(["number of rows inserted"], [count], sessions.INSERT)


def _rows(binds: list[Any]) -> list[list[Any]]:
    """Lists that are bound are many rows."""
    if binds and all(isinstance(value, list) for value in binds):
        return [list(row) for row in zip(*binds, strict=True)]
    return [binds]


def _check_types(session: "Session", expression: exp.Insert, table: Table, binds: list[Any]) -> None:
    """Text is no VARIANT, although DuckDB would take it for JSON."""
    if not any(column.type.kind in SEMI_STRUCTURED for column in table.columns):
        return
    names = [each.name for each in expression.this.expressions]
    types = {column.name: column.type for column in table.columns}
    query = dialect.translate(expression.expression, session.around())
    source = query if not isinstance(expression.expression, exp.Values) else f"FROM ({query}) AS given"
    for name, row in zip(names, session.db.execute(f"describe {source}", binds).fetchall(), strict=False):
        kind = types[name].kind if name in types else ""
        if kind in SEMI_STRUCTURED and row[1] not in ("JSON", '"NULL"'):
            words = f"expecting {kind.upper()} but got {row[1]} for column {name}"
            told = f"SQL compilation error:\nExpression type does not match column data type, {words}"
            raise SnowflakeError(2023, "22000", told)


def merge(session: "Session", expression: exp.Merge, table: Table, sql: str, binds: list[Any]) -> "Result":
    kinds = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
    whens = expression.args["whens"]
    clauses = whens.expressions if isinstance(whens, exp.Whens) else whens
    present = [kind for kind in kinds if any(_kind(clause) == kind for clause in clauses)]
    counts = dict.fromkeys(kinds, 0)

    def effect() -> int:
        counts.update(dict.fromkeys(kinds, 0))
        try:
            actions = session.db.execute(f"{sql} RETURNING merge_action", binds).fetchall()
        except duckdb.InvalidInputException as error:
            if "more than once" in str(error):
                raise SnowflakeError(100090, "42P18", "Duplicate row detected during DML action") from error
            raise
        for (action,) in actions:
            counts[action] += 1
        return len(actions)

    session.statement(effect, table.name, _lockable(table))
    names = [f"number of rows {kinds[kind]}" for kind in present]
    return sessions.numbers(names, [counts[kind] for kind in present], sessions.MERGE)


def _kind(clause: exp.When) -> str:
    then = clause.args["then"]
    return "INSERT" if isinstance(then, exp.Insert) else "UPDATE" if isinstance(then, exp.Update) else "DELETE"


def truncate(session: "Session", text: str) -> "Result":
    found = re.fullmatch(r"TRUNCATE\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(\S+)", text, re.I)
    if found is None:
        raise unsupported(text[:60])
    table = session.table(parts_of(found[1]))
    session.reads = [table.name]
    session.statement(lambda: _count(session, f"delete from {table.physical()}", []), table.name, _lockable(table))
    return sessions.status()


def copy(session: "Session", what: Copy) -> "Result":
    table = session.table(parts_of(what.target))
    at = Location(commands.stage_name(session, what.stage), what.path)
    session.use_warehouse()
    columns = [part.strip() for part in what.columns.strip("()").split(",") if part.strip()]
    names = ", ".join(quoted(parts_of(column)[0]) for column in columns) or ", ".join(quoted(c.name) for c in table.columns)
    select = dialect.parse(what.select)

    def effect() -> list[list[Any]]:
        # A temporary table is rarely loaded twice: its load history is not kept.
        done = set() if table.temporary else session.catalog.loaded(table)
        rows = []
        for name, path in _files(session, what, at):
            if name in done and not what.force:
                continue
            source = staged_rows(path, compression_of(what, name))
            sql = dialect.translate(select, session.around({"STAGED_FILES": source}))
            rows.append(
                copied(f"{at.stage[2].lower()}/{name}", _load(session, f"insert into {table.physical()} ({names}) {sql}"))
            )
            if not table.temporary:
                session.catalog.note_loaded(table, [name])
        return rows

    rows = session.statement(effect, table.name)
    if not rows:
        return sessions.Result(sessions.STATUS, [["Copy executed with 0 files processed."]], sessions.COPY)
    if what.purge:
        session.engine.stages.remove(at, None)
    return sessions.Result([(name, sessions.TEXT) for name in COPY_COLUMNS], rows, sessions.COPY)


def _load(session: "Session", sql: str) -> int:
    try:
        return _count(session, sql, [])
    except duckdb.InvalidInputException as error:
        raise SnowflakeError(100069, "22P02", f"Error parsing JSON: {str(error).split(chr(10))[0]}") from error
    except duckdb.TransactionException:
        raise
    except duckdb.Error as error:
        raise of_duckdb(error) from error


def _files(session: "Session", what: Copy, at: Location) -> list[tuple[str, Any]]:
    every = session.engine.stages.files(at)
    if not what.files:
        return [(name, path) for name, path in every if what.pattern is None or re.fullmatch(what.pattern, name)]
    by_name = dict(every)
    prefix = f"{at.path.rstrip('/')}/" if at.path else ""
    wanted = [f"{prefix}{file}" for file in what.files]
    for name in wanted:
        if name not in by_name:
            raise not_found(name)
    return [(name, by_name[name]) for name in wanted]
