"""Each expression of Snowflake's that DuckDB has otherwise: semi-structured values, casts and functions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlglot
from sqlglot import Expr, exp

import datatypes
from errors import unsupported

# What a name of a table stands for, given its parts from the database on: SQL of a table, or of a query in parentheses.
Resolve = Callable[[list[str]], str]

SEMI_STRUCTURED = (exp.DType.VARIANT, exp.DType.OBJECT, exp.DType.ARRAY)


@dataclass(frozen=True)
class Surroundings:
    """What a statement finds around it."""

    resolve: Resolve
    # SQL literals of what is fixed for a statement: its time and its session.
    constants: dict[str, str] = field(default_factory=dict)
    # SQL of a table function that is called, given the call.
    table_function: Callable[[str], str] | None = None


def alias_of(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


# THIS and SEQ are not there.
FLATTENED = """(SELECT m.k AS "KEY", m.i AS "INDEX", CAST(m.v AS JSON) AS "VALUE"
FROM (SELECT unnest(_members(CAST({0} AS TEXT))) AS m) AS members)"""


def _table_function(node: exp.TableFromRows | exp.Lateral, around: Surroundings) -> Expr:
    explode = node.find(exp.Explode)
    if explode is None:
        call = node.this.sql(dialect="snowflake")
        if around.table_function is None:
            raise unsupported(f"the table function {call[:60]}")
        query = around.table_function(call)
        return exp.Subquery(this=_duckdb(query).this, alias=node.args.get("alias") or alias_of("FUNCTION"))
    given = [explode.this, *explode.expressions]
    named = {kwarg.this.name.upper(): kwarg.expression for kwarg in given if isinstance(kwarg, exp.Kwarg)}
    if set(named) - {"INPUT"}:
        raise unsupported(f"FLATTEN with {', '.join(sorted(set(named) - {'INPUT'}))}")
    query = FLATTENED.format((named.get("INPUT") or given[0]).sql(dialect="duckdb"))
    alias = node.args.get("alias")
    name = alias.this.name if alias is not None and alias.this is not None else "FLATTENED"
    return exp.Subquery(this=_duckdb(query).this, alias=alias_of(name))


def _duckdb(sql: str) -> Expr:
    return sqlglot.parse_one(sql, read="duckdb")


def rewritten(node: Expr, around: Surroundings) -> Expr:
    constants = around.constants
    match node:
        case exp.TableFromRows() | exp.Lateral():
            return _table_function(node, around)
        case exp.Parameter() if node.name.startswith("bind "):
            return exp.Parameter(this=exp.Literal.number(node.name.removeprefix("bind ")))
        case exp.Column() if isinstance(node.this, exp.Column):
            # The column $1 of a table: what its parameter has become, qualified.
            return exp.column(node.this.this, table=node.args.get("table"))
        case exp.Parameter() if node.name.isdigit():
            return exp.column(exp.to_identifier(f"${node.name}", quoted=True))
        case exp.Values():
            return _values(node)
        case exp.Cast() | exp.TryCast():
            return _cast(node)
        case exp.JSONExtract():
            return exp.Anonymous(this="json_extract", expressions=[node.this, _path(node)])
        case exp.ParseJSON():
            name = "_try_parse_json" if node.args.get("safe") else "_parse_json"
            return exp.cast(exp.Anonymous(this=name, expressions=[_text(node.this)]), "JSON")
        case exp.ToVariant():
            return exp.Anonymous(this="to_json", expressions=[node.this])
        case exp.Struct():
            return _object(node)
        case exp.ToBinary():
            encoding = node.args.get("format") or exp.Literal.string("HEX")
            name = "_try_binary" if node.args.get("safe") else "_binary"
            return exp.Anonymous(this=name, expressions=[_text(node.this), encoding])
        case exp.ArraySize():
            return exp.Anonymous(this="json_array_length", expressions=[node.this])
        case exp.Typeof():
            return _duckdb(TYPEOF.format(node.this.sql(dialect="duckdb")))
        case exp.IsNullValue():
            return _duckdb(f"json_type({node.this.sql(dialect='duckdb')}) = 'NULL'")
        case exp.CurrentTimestamp():
            return _constant("SYSDATE" if node.args.get("sysdate") else "CURRENT_TIMESTAMP", constants)
        case exp.Func() if _name(node) in constants:
            return _constant(_name(node), constants)
        case exp.Anonymous() if node.name.upper() in ("TO_TIMESTAMP_NTZ", "TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_TZ"):
            return _timestamp(node, exp.Cast)
        case exp.Anonymous() if node.name.upper().startswith("TRY_TO_TIMESTAMP"):
            return _timestamp(node, exp.TryCast)
        case exp.Update():
            return _unqualify_assignments(node)
        case _:
            return node


TYPEOF = """CASE json_type({0}) WHEN 'NULL' THEN 'NULL_VALUE' WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'BIGINT' THEN 'INTEGER'
ELSE json_type({0}) END"""


def _name(function: exp.Func) -> str:
    return function.name.upper() if isinstance(function, exp.Anonymous) else function.sql_name()


def _constant(name: str, constants: dict[str, str]) -> Expr:
    return _duckdb(constants[name]) if name in constants else exp.Anonymous(this=name)


def _path(node: exp.JSONExtract) -> Expr:
    steps = []
    for step in node.expression.expressions:
        match step:
            case exp.JSONPathRoot():
                steps.append("$")
            case exp.JSONPathKey():
                steps.append(f'."{step.this}"')
            case exp.JSONPathSubscript() if isinstance(step.this, int):
                steps.append(f"[{step.this}]")
            case _:
                raise unsupported(f"the path {node.sql(dialect='snowflake')}")
    return exp.Literal.string("".join(steps))


def _text(value: Expr) -> Expr:
    """A bound value has no type of its own."""
    return exp.cast(value, "TEXT") if isinstance(value, exp.Parameter | exp.Null) else value


def _cast(node: exp.Cast) -> Expr:
    value = node.this
    extracted = isinstance(value, exp.Anonymous) and value.name == "json_extract"
    if node.to.this in SEMI_STRUCTURED:
        return value if extracted else exp.Anonymous(this="to_json", expressions=[value])
    target = exp.DataType.build(_duckdb_type(node.to), dialect="duckdb")
    if extracted and re.fullmatch(r"DECIMAL\(\d+,\s*[1-9]\d*\)", target.sql(dialect="duckdb")):
        of, path = value.expressions
        value = exp.Anonymous(this="_number", expressions=[exp.cast(of, "TEXT"), path])
    elif extracted:
        value.set("this", "json_extract_string")
    elif _is_variant(value):
        value = exp.Anonymous(this="json_extract_string", expressions=[value, exp.Literal.string("$")])
    elif isinstance(value, exp.Column):
        return _cast_of_column(node, target)
    return type(node)(this=value, to=target)


def _is_variant(value: Expr) -> bool:
    return isinstance(value, exp.Cast) and value.to.this == exp.DType.JSON


def _duckdb_type(to: exp.DataType) -> str:
    try:
        return datatypes.parse(to.sql(dialect="snowflake")).duckdb()
    except ValueError:
        return to.sql(dialect="duckdb")


def _cast_of_column(node: exp.Cast, target: exp.DataType) -> Expr:
    """Whether the column is a VARIANT, whose text has no quotes, is known to DuckDB alone."""
    column = node.this.sql(dialect="duckdb")
    kind = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    to = target.sql(dialect="duckdb")
    text = f"json_extract_string(CAST({column} AS TEXT), '$')"
    return _duckdb(f"(CASE WHEN typeof({column}) = 'JSON' THEN {kind}({text} AS {to}) ELSE {kind}({column} AS {to}) END)")


def _timestamp(node: exp.Anonymous, cast: type[exp.Cast]) -> Expr:
    if len(node.expressions) != 1:
        raise unsupported(f"{node.name} with a format")
    kind = "TIMESTAMP" if node.name.upper().endswith("NTZ") else "TIMESTAMPTZ"
    return cast(this=node.expressions[0], to=exp.DataType.build(kind, dialect="duckdb"))


def _object(node: exp.Struct) -> Expr:
    """OBJECT_CONSTRUCT leaves out what is NULL, and keeps what is null of JSON."""
    members = []
    for pair in node.expressions:
        if not isinstance(pair, exp.PropertyEQ):
            raise unsupported("OBJECT_CONSTRUCT(*)")
        key, value = (side.sql(dialect="duckdb") for side in (pair.this, pair.expression))
        member = f"CAST(to_json({key}) AS TEXT) || ':' || CAST(to_json({value}) AS TEXT)"
        members.append(f"CASE WHEN {value} IS NULL THEN NULL ELSE {member} END")
    inside = f"concat_ws(',', {', '.join(members)})" if members else "''"
    return _duckdb(f"CAST('{{' || {inside} || '}}' AS JSON)")


def _values(node: exp.Values) -> Expr:
    """Columns are COLUMN1, COLUMN2 …, unless they are named."""
    alias = node.args.get("alias")
    if isinstance(node.parent, exp.Insert) or (alias and alias.columns):
        return node
    width = len(node.expressions[0].expressions) if node.expressions else 0
    columns = [exp.to_identifier(f"COLUMN{number + 1}", quoted=True) for number in range(width)]
    name = alias.this if alias else exp.to_identifier("VALUES", quoted=True)
    node.set("alias", exp.TableAlias(this=name, columns=columns))
    return node


def _unqualify_assignments(update: exp.Update) -> Expr:
    """SET t.a = 1 is SET a = 1 in DuckDB."""
    for each in update.expressions:
        if isinstance(each, exp.EQ) and isinstance(each.this, exp.Column):
            each.this.set("table", None)
    return update
