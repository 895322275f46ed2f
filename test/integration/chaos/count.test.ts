import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { countDeltaTables } from '../../chaos/sinks.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-count-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** Writes rows by deltalake itself: `[partition, offset]` of topic `t`, in two commits. */
const WRITE = `
import json, sys
import pyarrow as pa
from deltalake import write_deltalake
for path, offsets in json.loads(sys.argv[1]).items():
    def rows(part):
        return pa.table({
            "_kafka_topic": pa.array(["t" for _ in part], pa.string()),
            "_kafka_partition": pa.array([p for p, _ in part], pa.int32()),
            "_kafka_offset": pa.array([o for _, o in part], pa.int64()),
            "id": pa.array([f"t-{p}-{o if o != 77 else 78}" for p, o in part], pa.string()),
        })
    for part in (offsets[:2], offsets[2:]):
        write_deltalake(path, rows(part), mode="append")
`

type Rows = readonly (readonly [partition: number, offset: number])[]

async function count(name: string, rows: Rows, deadLetters: Rows, records: readonly [number, number]) {
  const tables = [{ path: join(folder, name), deadLetters: join(folder, `dlq_${name}`) }]
  const script = join(folder, 'write.py')
  await writeFile(script, WRITE)
  await python(script, [JSON.stringify({ [tables[0]?.path ?? '']: rows, [tables[0]?.deadLetters ?? '']: deadLetters })])
  const expected = records.map((each, partition) => ({
    topic: 't',
    partition,
    records: each,
    flawed: partition === 0 ? [1] : []
  }))
  return countDeltaTables({ tables, storage: {}, expected })
}

test('what is in its place exactly once has no differences', need('readers'), async () => {
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

test('what is missing, doubled, misplaced, invented or of other content is named', need('readers'), async () => {
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
