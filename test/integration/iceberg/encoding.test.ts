import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Field, TableSchema } from '../../../consumer/columns/schema.ts'
import { planEvolution } from '../../../consumer/sinks/iceberg/evolution.ts'
import { IcebergDiskTable } from '../../fakes/iceberg-disk-table.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'

const SCRIPT = fileURLToPath(import.meta.resolve('./encoding.py'))
const START_MICROS = Date.UTC(2026, 10, 21, 12) * 1_000
const [COMMITS, ROWS, MINUTES] = [7, 20, 6]

const FIELDS: readonly Field[] = [
  { name: 'topic', type: 'string', nullable: true, comment: 'where it comes from' },
  { name: 'part', type: 'int', nullable: true },
  { name: 'offset', type: 'long', nullable: false },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'price', type: { decimal: { precision: 12, scale: 2 } }, nullable: true },
  { name: 'id', type: 'uuid', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'clock', type: 'time', nullable: true },
  { name: 'local', type: 'timestampNtz', nullable: true },
  { name: 'code', type: { fixed: 3 }, nullable: true },
  { name: 'flag', type: 'boolean', nullable: true },
  { name: 'score', type: 'float', nullable: true },
  { name: 'tags', type: { map: { key: 'string', value: 'long', valueNullable: true } }, nullable: true },
  {
    name: 'inner',
    type: { struct: [{ name: 'a b', type: { list: 'long', elementNullable: true }, nullable: true }] },
    nullable: true
  }
]
const LAYOUT: Omit<TableSchema, 'fields'> = {
  partitionBy: [],
  sortBy: ['topic', 'part', 'offset'],
  partitionFields: [
    { column: 'at', transform: 'hour', name: 'at_hour' },
    { column: 'topic', transform: { bucket: 4 }, name: 'topic bucket' },
    { column: 'price', transform: { truncate: 1_000 }, name: 'price_trunc' },
    { column: 'day', transform: 'identity', name: 'day' }
  ]
}
/** Wider, and with one column more. */
const GROWN: readonly Field[] = [
  ...FIELDS.map((field): Field => {
    if (field.name === 'part') return { ...field, type: 'long' }
    if (field.name === 'price') return { ...field, type: { decimal: { precision: 20, scale: 2 } } }
    return field.name === 'score' ? { ...field, type: 'double' } : field
  }),
  { name: 'late', type: 'string', nullable: true }
]

const rowOf = (n: number, isGrown: boolean) => ({
  topic: `orders-${n % 3}`,
  part: isGrown ? BigInt(n % 2) : n % 2,
  offset: BigInt(n),
  at: BigInt(START_MICROS) + BigInt(n * MINUTES) * 60_000_000n,
  price: BigInt(n * 100 - 300),
  id: Buffer.from(`f79c3e09677c4bbda4793f349cb7${String(n).padStart(4, '0')}`, 'hex'),
  day: n % 5 === 0 ? null : 20_000 + (n % 2),
  clock: BigInt(n) * 1_000_000n,
  local: BigInt(n),
  code: Buffer.from([97, 98, 99]),
  flag: n % 2 === 0,
  score: n / 4,
  tags: new Map([['a', BigInt(n)]]),
  inner: { 'a b': [BigInt(n), null] },
  late: 'yes'
})

interface Report {
  readonly rows: readonly Readonly<Record<string, string>>[]
  readonly found: readonly (readonly [files: number, rows: number])[]
  readonly files: number
  readonly statuses: readonly string[]
  readonly sequenceNumbers: readonly number[]
  readonly snapshotIds: number
  readonly partitions: number
  readonly manifests: number
}

for (const formatVersion of [2, 3] as const) {
  test(
    `pyiceberg reads what we encode in version ${formatVersion}: all types, merged manifests, grown columns, pruned files`,
    need('readers'),
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bronze-iceberg-'))
      try {
        const table = new IcebergDiskTable(folder, { ...LAYOUT, fields: FIELDS }, formatVersion, START_MICROS / 1_000)
        table.json.properties['commit.manifest.min-count-to-merge'] = '3'
        for (let commit = 0; commit < COMMITS; commit++) {
          const isGrown = commit >= 4
          const schema = { ...LAYOUT, fields: isGrown ? GROWN : FIELDS }
          const plan = planEvolution(table.metadata, schema, 'db.t')
          assert.equal(plan.status, commit === 4 ? 'change' : 'current')
          if (plan.status === 'change') table.apply(plan.change)
          const rows = Array.from({ length: ROWS }, (_, index) => rowOf(commit * ROWS + index, isGrown))
          await table.append(schema, rows, (commit + 1) * ROWS)
        }
        const total = COMMITS * ROWS
        const filters = [
          `offset >= ${total - 10}`,
          "at >= '2026-11-22T00:00:00+00:00'",
          "topic = 'orders-1'",
          'price < 0',
          'day is null',
          'part = 5',
          "clock > '00:02:00'",
          'score > 30'
        ]
        const expected = [10, total - (12 * 60) / MINUTES, 47, 3, 28, 0, 19, 19]
        const report = JSON.parse(await python(SCRIPT, [await table.save(), JSON.stringify(filters)])) as Report
        assert.deepEqual(
          report.rows.map(({ offset }) => Number(offset)),
          Array.from({ length: total }, (_, n) => n)
        )
        assert.deepEqual(report.rows[121], {
          topic: 'orders-1',
          part: '1',
          offset: '121',
          at: '2026-11-22 00:06:00+00:00',
          price: '118.00',
          id: 'f79c3e09-677c-4bbd-a479-3f349cb70121',
          day: '2024-10-05',
          clock: '00:02:01',
          local: '1970-01-01 00:00:00.000121',
          code: "b'abc'",
          flag: 'False',
          score: '30.25',
          tags: "[('a', 121)]",
          inner: "{'a b': [121, None]}",
          late: 'yes'
        })
        assert.equal(report.rows[79]?.['late'], 'None')
        assert.deepEqual(
          report.found.map(([, rows]) => rows),
          expected
        )
        // Every filter leaves files out, by partition values or by bounds.
        for (const [index, [files]] of report.found.entries()) assert.ok(files < report.files * 0.6, filters[index])
        assert.deepEqual(report.statuses, ['ADDED', 'EXISTING'])
        assert.deepEqual(report.sequenceNumbers, [1, 2, 3, 4, 5, 6, 7])
        assert.equal(report.snapshotIds, COMMITS)
        assert.equal(report.manifests, table.manifests.length)
        assert.ok(report.manifests < COMMITS)
        if (formatVersion === 3) assert.equal(table.metadata.nextRowId, total)
      } finally {
        await rm(folder, { recursive: true })
      }
    }
  )
}
