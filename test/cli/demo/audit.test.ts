import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { audit, tablePaths, type TablePaths } from '../../../cli/demo/audit.ts'
import { queryRows } from '../../../cli/demo/duckdb.ts'

let paths: TablePaths
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bronze-audit-'))
  paths = tablePaths(folder, 'bronze.flights')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A table of one commit for each file, which holds the offsets given of partition 0. */
async function write(
  table: string,
  files: Readonly<Record<string, readonly number[]>>,
  removed: readonly string[] = []
) {
  const log = join(table, '_delta_log')
  mkdirSync(log, { recursive: true })
  for (const [index, [path, offsets]] of Object.entries(files).entries()) {
    await queryRows(
      `COPY (SELECT 0 AS _kafka_partition, unnest([${offsets.join(', ')}])::BIGINT AS _kafka_offset, 'InvalidJson' AS reason)
       TO '${join(table, path)}' (FORMAT parquet)`
    )
    const actions = [{ commitInfo: {} }, { add: { path } }, ...removed.map(path => ({ remove: { path } }))]
    const text = actions.map(action => `${JSON.stringify(action)}\n`).join('')
    writeFileSync(join(log, `${String(index).padStart(20, '0')}.json`), text)
  }
}

test('rows and dead letters that make up every offset once are found in order', async () => {
  await write(paths.table, { 'a.parquet': [0, 1], 'b.parquet': [3] })
  await write(paths.deadLetters, { 'c.parquet': [2] })
  const found = await audit(paths, [4])
  assert.deepEqual(found, {
    rows: 3,
    deadLetters: 1,
    duplicates: 0,
    missing: 0,
    files: 2,
    reasons: new Map([['InvalidJson', 1]])
  })
})

test('an offset that is in two files, or in table and dead letters, is a duplicate; one that is nowhere is missing', async () => {
  await write(paths.table, { 'a.parquet': [0, 1], 'b.parquet': [1, 2] })
  await write(paths.deadLetters, { 'c.parquet': [2] })
  const { duplicates, missing } = await audit(paths, [5])
  assert.deepEqual({ duplicates, missing }, { duplicates: 2, missing: 2 })
})

test('files that the log has removed do not count, and neither do those it never named', async () => {
  await write(paths.table, { 'a.parquet': [0], 'b.parquet': [1] }, ['a.parquet'])
  const { rows, missing, files } = await audit(paths, [2])
  assert.deepEqual({ rows, missing, files }, { rows: 1, missing: 1, files: 1 })
})
