import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { countDeltaTables } from '../../chaos/delta.ts'
import type { Expectation } from '../../chaos/expectation.ts'
import { countIcebergTables } from '../../chaos/iceberg.ts'
import { countObjects } from '../../chaos/s3.ts'
import type { Counted } from '../../chaos/sink.ts'
import { countSnowflakeTables } from '../../chaos/snowflake.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { need } from '../../servers/need.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { python } from '../../servers/readers.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-count-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** Writes rows, `[partition, offset]` of topic `t`, in two commits to each table, by another project. */
const COMMON = `
import json, sys
import pyarrow as pa
def rows(part):
    return pa.table({
        "_kafka_topic": pa.array(["t" for _ in part], pa.string()),
        "_kafka_partition": pa.array([p for p, _ in part], pa.int32()),
        "_kafka_offset": pa.array([o for _, o in part], pa.int64()),
        "id": pa.array([f"t-{p}-{o if o != 77 else 78}" for p, o in part], pa.string()),
    })
tables, catalog = json.loads(sys.argv[1]), json.loads(sys.argv[2])
`
const WRITE_DELTA = `
from deltalake import write_deltalake
for path, offsets in tables.items():
    for part in (offsets[:2], offsets[2:]):
        write_deltalake(path, rows(part), mode="append")
`
const WRITE_ICEBERG = `
from pyiceberg.catalog import load_catalog
catalog = load_catalog("test", **catalog)
for path, offsets in tables.items():
    catalog.create_namespace_if_not_exists(path.split(".")[0])
    table = catalog.create_table(path, schema=rows([]).schema)
    for part in (offsets[:2], offsets[2:]):
        table.append(rows(part))
`

/** As a landing zone has them, beside an object that no commit names. */
const WRITE_OBJECTS = `
import os
import pyarrow.parquet as pq
def put(path, part):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if path.endswith(".parquet"):
        return pq.write_table(rows(part), path)
    # No reader takes lines of which there are none.
    if not part:
        return
    with pa.output_stream(path, compression="zstd") as lines:
        lines.write("".join(json.dumps(row) + "\\n" for row in rows(part).to_pylist()).encode())
root, layout = catalog["root"], catalog["layout"]
main, dead = tables
for step in (slice(None, 2), slice(2, None)):
    named = {}
    for name, offsets in tables.items():
        suffix = "ndjson.zst" if layout == "Glob" else "parquet"
        named[name] = f"{name}/topic=t/{name}-{step.start or 0}.{suffix}"
        put(f"{root}/{named[name]}", offsets[step])
    commit = {"objects": [{"path": named[main]}], "deadLetters": [{"path": named[dead], "table": dead}]}
    path = f"{root}/{main}/_bronze/commits/t/id/0/{step.start or 0}.json"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(commit, file)
stray = f"{root}/{main}/_bronze/staged/x.staged" if layout == "Glob" else f"{root}/{main}/topic=t/x.parquet"
os.makedirs(os.path.dirname(stray), exist_ok=True)
pq.write_table(rows([(9, 9)]), stray)
`

/** As the stand-in for Snowflake keeps them. */
const WRITE_SNOWFLAKE = `
import duckdb
main, dead = tables
with duckdb.connect(catalog["file"]) as db:
    db.execute('create schema if not exists "LAKE.BRONZE"')
    for name in tables:
        part = rows(tables[name])
        columns = "*" if name == main else (
            "json_object('topic', _kafka_topic, 'partition', _kafka_partition, 'offset', _kafka_offset) kafka_metadata"
        )
        db.execute(f'create table "LAKE.BRONZE"."{name.split(".")[1].upper()}" as select {columns} from part')
`

type Rows = readonly (readonly [partition: number, offset: number])[]
type Count = (name: string, rows: Rows, deadLetters: Rows, records: readonly number[]) => Promise<Counted>

/** In partition 0, record 1 is flawed. */
const expectedOf = (records: readonly number[]): Expectation[] =>
  records.map((each, partition) => ({ topic: 't', partition, records: each, flawed: partition === 0 ? [1] : [] }))

async function write(script: string, tables: Readonly<Record<string, Rows>>, catalog: object = {}): Promise<void> {
  const path = join(folder, 'write.py')
  await writeFile(path, COMMON + script)
  await python(path, [JSON.stringify(tables), JSON.stringify(catalog)])
}

const countDelta: Count = async (name, rows, deadLetters, records) => {
  const [path, dead] = [join(folder, name), join(folder, `dlq_${name}`)]
  await write(WRITE_DELTA, { [path]: rows, [dead]: deadLetters })
  return await countDeltaTables({ tables: [{ path, deadLetters: dead }], storage: {}, expected: expectedOf(records) })
}

const countIceberg: Count = async (name, rows, deadLetters, records) => {
  const { s3, ...addresses } = await sharedCatalog()
  const catalog = pyicebergProperties(addresses, s3)
  const namespace = `count_${randomUUID()}`
  const [path, dead] = [`${namespace}.${name}`, `${namespace}.dlq_${name}`]
  await write(WRITE_ICEBERG, { [path]: rows, [dead]: deadLetters }, catalog)
  return await countIcebergTables({ tables: [{ path, deadLetters: dead }], catalog, expected: expectedOf(records) })
}

const countObjectsOf =
  (layout: 'Partitioned' | 'Glob'): Count =>
  async (name, rows, deadLetters, records) => {
    const [root, dead] = [join(folder, layout, name), `dlq_${name}`]
    await write(WRITE_OBJECTS, { [name]: rows, [dead]: deadLetters }, { root, layout })
    const tables = [{ path: name, deadLetters: dead }]
    return await countObjects({ tables, layout, location: root, expected: expectedOf(records) })
  }

const countSnowflake: Count = async (name, rows, deadLetters, records) => {
  const file = join(folder, `${name}.duckdb`)
  const [path, dead] = [`bronze.${name}`, `bronze.dlq_${name}`]
  await write(WRITE_SNOWFLAKE, { [path]: rows, [dead]: deadLetters }, { file })
  const tables = [{ path, deadLetters: dead }]
  return await countSnowflakeTables({ tables, file, database: 'LAKE', expected: expectedOf(records) })
}

const counts: readonly (readonly [what: string, count: Count, options: ReturnType<typeof need>])[] = [
  ['Delta', countDelta, need('readers')],
  ['objects that commits name', countObjectsOf('Partitioned'), need('readers')],
  ['objects in folders', countObjectsOf('Glob'), need('readers')],
  ['Iceberg', countIceberg, need('readers', 'catalog', 's3')],
  ['Snowflake', countSnowflake, need('readers')]
]

for (const [what, count, options] of counts) {
  test(`${what}: what is in its place exactly once has no differences`, options, async () => {
    const rows: Rows = [
      [0, 0],
      [0, 2],
      [1, 0],
      [1, 1]
    ]
    assert.deepEqual(await count('good', rows, [[0, 1]], [3, 2]), {
      inTable: 4,
      deadLetters: 1,
      missing: 0,
      duplicates: 0,
      differences: []
    })
  })

  test(`${what}: what is missing, doubled, misplaced, invented or of other content is named`, options, async () => {
    const rows: Rows = [
      [0, 0],
      [0, 1],
      [0, 3],
      [0, 3],
      [0, 3],
      [1, 0],
      [1, 5],
      [1, 77]
    ]
    const { differences, ...counts } = await count('bad', rows, [[1, 0]], [5, 1])
    assert.deepEqual(counts, { inTable: 8, deadLetters: 1, missing: 2, duplicates: 3 })
    assert.deepEqual(differences, [
      't-0 offset 2: missing from table',
      't-0 offset 4: missing from table',
      't-0 offset 3: 3 times',
      't-1 offset 0: 2 times',
      't-0 offset 1: in the wrong place, table',
      't-1 offset 0: in the wrong place, dead letters',
      't-1 offset 5: never produced, but in table',
      't-1 offset 77: never produced, but in table',
      't-1 offset 77: holds the record t-1-78'
    ])
  })
}
