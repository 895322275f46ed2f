"""Holds tables and their dead-letter tables against what was produced, by DuckDB.

Every offset produced must be in exactly one of table and dead letters, once: flawed ones in the dead letters, the others in
the table, where the column `id` must name the row's own coordinates.
"""

import json
import sys

import duckdb
import pyarrow as pa

COORDINATES = ["_kafka_topic", "_kafka_partition", "_kafka_offset"]
FIRST = 10


def count(rows):
    """Reads {tables: [{path, deadLetters}], expected} as JSON from standard input, and each table by `rows(job, path, columns)`.

    Prints {inTable, deadLetters, missing, duplicates, differences} as JSON.
    """
    job = json.load(sys.stdin)
    db = duckdb.connect()
    db.execute("create table found (place text, topic text, part int, pos bigint)")
    db.execute("create table wrong (topic text, part int, pos bigint, id text)")
    for table in job["tables"]:
        main_rows = rows(job, table["path"], [*COORDINATES, "id"])
        dead_rows = rows(job, table["deadLetters"], COORDINATES)
        db.execute("insert into found select 'table', _kafka_topic, _kafka_partition, _kafka_offset from main_rows")
        db.execute("insert into found select 'dead letters', _kafka_topic, _kafka_partition, _kafka_offset from dead_rows")
        db.execute(
            "insert into wrong select _kafka_topic, _kafka_partition, _kafka_offset, id from main_rows"
            " where id is distinct from _kafka_topic || '-' || _kafka_partition || '-' || _kafka_offset"
        )
    produced = pa.Table.from_pylist([{key: each[key] for key in ("topic", "partition", "records")} for each in job["expected"]])
    flawed = pa.table(
        {
            "topic": [each["topic"] for each in job["expected"] for _ in each["flawed"]],
            "part": pa.array([each["partition"] for each in job["expected"] for _ in each["flawed"]], pa.int32()),
            "pos": pa.array([offset for each in job["expected"] for offset in each["flawed"]], pa.int64()),
        }
    )
    db.execute(
        "create table due as select p.topic, p.partition::int part, r.pos,"
        " case when f.pos is null then 'table' else 'dead letters' end place"
        " from produced p, lateral (select unnest(range(p.records)) pos) r"
        " left join flawed f on f.topic = p.topic and f.part = p.partition and f.pos = r.pos"
    )
    questions = {
        "missing from {3}": "select topic, part, pos, place from due anti join found using (topic, part, pos)",
        "{3} times": "select topic, part, pos, count(*) from found group by all having count(*) > 1",
        "in the wrong place, {3}": "select found.topic, found.part, found.pos, found.place from found"
        " join due using (topic, part, pos) where found.place <> due.place",
        "never produced, but in {3}": "select topic, part, pos, place from found anti join due using (topic, part, pos)",
        "holds the record {3}": "select topic, part, pos, id from wrong",
    }
    counts = {}
    differences = []
    for words, question in questions.items():
        counts[words] = db.execute(f"select count(*) from ({question})").fetchone()[0]
        for row in db.execute(f"select * from ({question}) order by 1, 2, 3 limit {FIRST}").fetchall():
            differences.append(f"{row[0]}-{row[1]} offset {row[2]}: " + words.format(*row))
    total = dict(db.execute("select place, count(*) from found group by place").fetchall())
    print(
        json.dumps(
            {
                "inTable": total.get("table", 0),
                "deadLetters": total.get("dead letters", 0),
                "missing": counts["missing from {3}"],
                "duplicates": db.execute(f"select coalesce(sum(n - 1), 0)::bigint from ({questions['{3} times']}) as d(t, p, o, n)").fetchone()[0],
                "differences": differences,
            }
        )
    )
