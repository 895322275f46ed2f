/** The examples of docs/s3.md, as they stand there, read by DuckDB and PyArrow what we have written. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FileStore } from '../../../consumer/store/file.ts'
import type { ObjectStore } from '../../../consumer/store/object-store.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { storeOf } from '../../chaos/s3.ts'
import { batchOf } from '../../conformance/batches.ts'
import { commitHour } from '../../conformance/commits.ts'
import { s3Harness, type S3Settings } from '../../fakes/s3-sink-harness.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'
import { sharedS3 } from '../../servers/s3.ts'
import { s3Location } from '../delta/s3-location.ts'

const SCRIPT = fileURLToPath(new URL('./read.py', import.meta.url))
const DOCUMENT = readFileSync(new URL('../../../docs/s3.md', import.meta.url), 'utf8')
const START_MS = Date.UTC(2026, 10, 21, 22)
const HOURS = 7
const ROWS = 20
/** A dead letter in each partition in hours 0 and 5. */
const EXPECTED = [0, 1].map(partition => ['orders', partition, HOURS * ROWS - 2, HOURS * ROWS - 1])

const PARQUET: S3Settings = { layout: 'Glob' }
const ZSTD: S3Settings = { layout: 'Glob', format: 'Ndjson' }
const GZIP: S3Settings = { layout: 'Glob', format: 'Ndjson', compression: 'Gzip' }
const DATED: S3Settings = { layout: 'Partitioned' }

function example(language: string, mark: string): string {
  const [, text] = new RegExp(`^\`\`\`${language} ${mark}\\n(.*?)^\`\`\`$`, 'ms').exec(DOCUMENT) ?? []
  assert.ok(text !== undefined, `docs/s3.md has an example ${language} ${mark}`)
  return text
}

/** The example, of the one table that the harness has. */
const placed = (text: string, root: string): string =>
  text.replaceAll('/data/lake', root).replaceAll(/\bbronze\/(?:dated|lines)\b/g, 'bronze/orders')

/** Some hours of commits, and a batch that was staged and never committed. */
async function fill(store: ObjectStore, settings: S3Settings): Promise<void> {
  const harness = s3Harness(store, { settings })
  const { sink } = harness.process()
  await sink.open()
  for (let hour = 0; hour < HOURS; hour++) await commitHour(sink, harness, hour, { rows: ROWS, startMs: START_MS })
  await sink.stage(batchOf(harness.plan, [{ from: HOURS * ROWS, to: HOURS * ROWS + 5 }]))
  await sink.close()
}

async function folderOf(context: TestContext, settings: S3Settings): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-readers-'))
  context.after(async () => await rm(folder, { recursive: true, force: true }))
  await fill(new FileStore(folder), settings)
  return folder
}

async function read(language: 'sql' | 'python', text: string, store?: object): Promise<unknown> {
  return JSON.parse(
    await python(SCRIPT, [language, store === undefined ? '' : JSON.stringify(store)], {}, text)
  ) as unknown
}

for (const [what, settings, text] of [
  ['DuckDB reads Parquet by a pattern', PARQUET, example('sql', 'glob')],
  ['DuckDB reads lines, Zstandard, by a pattern', ZSTD, example('sql', 'lines')],
  ['DuckDB reads lines, gzip, by a pattern', GZIP, example('sql', 'lines').replace('.zst', '.gz')],
  ['DuckDB reads what commits name', DATED, example('sql', 'committed')]
] as const) {
  test(`${what}: each row once`, need('readers'), async context => {
    const folder = await folderOf(context, settings)
    assert.deepEqual(await read('sql', placed(text, folder)), EXPECTED)
  })
}

test('PyArrow reads what commits name: each row once', need('readers'), async context => {
  const folder = await folderOf(context, DATED)
  assert.deepEqual(await read('python', placed(example('python', 'committed'), folder)), EXPECTED)
})

/** What a reader does that knows of no commits: the layout's own folders tell topic and day. */
const FOLDER = `
from pyarrow import dataset, fs
files = fs.LocalFileSystem()
table = dataset.dataset("/data/lake/bronze/dated", filesystem=files, partitioning="hive")
rows = table.to_table(columns=["topic", "_kafka_partition", "_kafka_offset"])
`

for (const [what, settings, text] of [
  ['what commits name', DATED, example('python', 'committed')],
  ['all that lies in a folder', PARQUET, FOLDER]
] as const) {
  test(`PyArrow reads ${what} on S3: each row once`, need('s3', 'readers'), async () => {
    const { location, options, readSecret } = await s3Location()
    const store = await openObjectStore(location, options, readSecret)
    await fill(store, settings)
    await store.close()
    const root = location.replace('s3://', '')
    assert.deepEqual(await read('python', placed(text, root), storeOf(await sharedS3())), EXPECTED)
  })
}

test(
  'a hive-style read of dated folders knows the days, and has each row at least once',
  need('readers'),
  async context => {
    const folder = await folderOf(context, DATED)
    const sql = `SELECT strftime(dt, '%Y-%m-%d'), count(*), count(DISTINCT (_kafka_partition, _kafka_offset)), 0
    FROM read_parquet('${folder}/bronze/orders/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL`
    // Five rows were staged and never committed: in this layout only commits tell.
    assert.deepEqual(await read('sql', sql), [
      ['2026-11-21', 2 * 2 * ROWS - 2 + 5, 2 * 2 * ROWS - 2 + 5, 0],
      ['2026-11-22', 2 * 5 * ROWS - 2, 2 * 5 * ROWS - 2, 0]
    ])
  }
)
