import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))
const examples = fileURLToPath(new URL('../../deploy/examples', import.meta.url))
const golden = fileURLToPath(new URL('golden', import.meta.url))

function init(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'init', ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

/** A pipeline whose broker is not there. */
async function pipelineFile(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-init-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'pipeline.yaml')
  const location = pathToFileURL(join(folder, 'tables')).href
  return {
    file,
    write: async (sink: string, columns: string) => {
      await writeFile(
        file,
        `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: shop}
spec:
  source: {bootstrapServers: ['127.0.0.1:1']}
  topics:
  - {name: orders, table: bronze.orders, format: Json, columns: [${columns}]}
  - {name: clicks, table: bronze.clicks, format: Json}
  sink: {${sink}: {location: '${location}'}}
`
      )
    }
  }
}

for (const sink of ['delta', 's3']) {
  test(`tables of ${sink} are created, found, widened, and refused where they do not fit`, async context => {
    const { file, write } = await pipelineFile(context)
    const clicks = (what: string) => `bronze.clicks: ${what}\nbronze.dlq_clicks: ${what.replace('11', '15')}\n`
    await write(sink, '')
    const created = 'created, 11 columns'
    const first = `bronze.orders: ${created}\nbronze.dlq_orders: created, 15 columns\n${clicks(created)}`
    assert.deepEqual(init('-f', file), { code: 0, out: first, err: '' })
    const matches = 'exists, matches'
    const second = `bronze.orders: ${matches}\nbronze.dlq_orders: ${matches}\n${clicks(matches)}`
    assert.deepEqual(init('-f', file), { code: 0, out: second, err: '' })
    await write(sink, '{name: total, value: /total, type: Double}, {name: number, value: /number, type: Date}')
    const added = second.replace(matches, 'columns added: total double, number date')
    assert.deepEqual(init('-f', file), { code: 0, out: added, err: '' })
    assert.deepEqual(init('-f', file, '--topic', 'clicks'), { code: 0, out: clicks(matches), err: '' })
    await write(sink, '{name: total, value: /total, type: String}')
    const refused = init('-f', file)
    assert.deepEqual([refused.code, refused.out], [78, clicks(matches)])
    assert.match(
      refused.err,
      /^bronze: bronze\.orders: IncompatibleTable: .* total .*Rename the column in the pipeline/
    )
  })
}

test('a dry run tells the tables of the examples, the same each time, and connects nowhere', () => {
  const files = readdirSync(golden).filter(name => name.endsWith('.sql'))
  assert.ok(files.length >= 4)
  for (const name of files) {
    const { code, out, err } = init('-f', join(examples, name.replace('.sql', '.yaml')), '--dry-run')
    assert.deepEqual([code, err], [0, ''])
    // Written by: bronze init -f deploy/examples/<name>.yaml --dry-run
    assert.equal(out, readFileSync(join(golden, name), 'utf8'), name)
  }
})

test('a dry run for Snowflake gives SQL for its objects, and the grants as comments', () => {
  const { code, out, err } = init('-f', join(examples, 'commerce-snowflake.yaml'), '--dry-run')
  assert.deepEqual([code, err], [0, ''])
  for (const table of ['ORDERS_RAW', 'CLICKS_RAW']) {
    assert.match(out, new RegExp(`CREATE TABLE IF NOT EXISTS "COMMERCE"\\."BRONZE"\\."${table}" \\(`))
    assert.match(out, new RegExp(`\\n-- GRANT .* ON TABLE "COMMERCE"\\."BRONZE"\\."${table}" TO ROLE "BRONZE_WRITER";`))
  }
  assert.doesNotMatch(out, /\n(?!--)GRANT/)
})

test('what cannot be meant is wrong usage, and a place that cannot be is configuration', async context => {
  const { file, write } = await pipelineFile(context)
  await write('delta', '')
  assert.equal(init().code, 2)
  assert.match(init('-f', file, '--topic', 'other').err, /no entry other/)
  await writeFile(join(file, '..', 'tables'), 'a file')
  const { code, err } = init('-f', file)
  assert.notEqual(code, 0)
  assert.match(err, /bronze\.orders: \w+: /)
})
