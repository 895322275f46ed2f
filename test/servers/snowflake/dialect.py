"""Snowflake's SQL as DuckDB's: names and bound values; what expressions become is in rewriting.py."""

import re

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from errors import SnowflakeError, syntax, unsupported
from rewriting import Resolve, Surroundings, alias_of, rewritten

# `?::` is a token of another dialect; what is quoted stays as it is.
_MARKED = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"[^"]*"|\$\$.*?\$\$|\?::""", re.S)


def parse(text: str) -> Expr:
    text = _MARKED.sub(lambda found: "? ::" if found[0] == "?::" else found[0], text)
    try:
        statements = [each for each in sqlglot.parse(text, read="snowflake") if each is not None]
    except SqlglotError as error:
        raise syntax(str(error).split("\n")[0]) from None
    if len(statements) != 1:
        words = f"Actual statement count {len(statements)} did not match the desired statement count 1."
        raise SnowflakeError(8, "0A000", words)
    return fold(statements[0])


def fold(expression: Expr) -> Expr:
    """Names without quotes are upper case."""
    for name in expression.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.replace(exp.to_identifier(name.name.upper(), quoted=True))
    return expression


def table_parts(table: exp.Table) -> list[str]:
    return [part.name for part in table.parts]


def translate(expression: Expr, around: Surroundings) -> str:
    # A root that is replaced needs a parent.
    holder = exp.Paren(this=expression.copy())
    _number_placeholders(holder)
    _resolve_tables(holder, around.resolve)
    # Innermost first: what is made of an expression is made of its translated parts.
    for node in reversed(list(holder.walk(bfs=True))):
        if node is not holder and node.parent is not None:
            made = rewritten(node, around)
            if made is not node:
                node.replace(made)
    return holder.this.sql(dialect="duckdb")


def _no_tables(parts: list[str]) -> str:
    raise unsupported(f"the table {'.'.join(parts)} in a default")


def default_sql(expression: Expr) -> str:
    """Of a column: an expression whose value is made when a row is."""
    now = {"CURRENT_TIMESTAMP": "now()", "SYSDATE": "(now() AT TIME ZONE 'UTC')"}
    select = translate(exp.Select(expressions=[expression.copy()]), Surroundings(_no_tables, now))
    return f"({select.removeprefix('SELECT ')})"


def _number_placeholders(expression: Expr) -> None:
    """By number: what is made of an expression may hold it twice or elsewhere."""
    number = 0
    for node in list(expression.find_all(exp.Placeholder, bfs=False)):
        name = node.args.get("this")
        number += name is None
        node.replace(exp.Parameter(this=exp.Literal.string(f"bind {name or number}")))


def _resolve_tables(expression: Expr, resolve: Resolve) -> None:
    common = {cte.alias for cte in expression.find_all(exp.CTE)}
    for table in list(expression.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            raise unsupported(f"{table.sql(dialect='snowflake')[:60]} as a table")
        parts = table_parts(table)
        if len(parts) == 1 and parts[0] in common:
            continue
        source = sqlglot.parse_one(f"SELECT 1 FROM {resolve(parts)}", read="duckdb").find(exp.From).this
        table.set("this", source.this)
        for part in ("db", "catalog"):
            table.set(part, source.args.get(part))
        if isinstance(source, exp.Subquery):
            table.replace(exp.Subquery(this=source.this, alias=table.args.get("alias") or alias_of(parts[-1])))
        elif not table.alias and _may_have_alias(table):
            table.set("alias", alias_of(parts[-1]))
    for column in expression.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)


def _may_have_alias(table: exp.Table) -> bool:
    """Not the target of INSERT and CREATE; the names that columns are qualified with stay valid by it."""
    parent = table.parent
    return not isinstance(parent, exp.Insert | exp.Schema | exp.Create | exp.Drop | exp.Alter)
