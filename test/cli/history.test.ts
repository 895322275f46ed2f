/** `bronze history` as a user sees it: around real runs, on the embedded broker, with tables in a folder. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { produce } from '../consumer/process/kafka.ts'
import { shop } from './shop.ts'

const LIMIT = { timeout: 280_000 }

interface Line {
  readonly type: string
  readonly table: string
  readonly topic: string
  readonly records: number
  readonly deadLetters: number
  readonly commits: number
  readonly message: string
}

const linesOf = (out: string): readonly Line[] =>
  out
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)

/** Records and dead letters by table and topic, over all minutes. */
function sums(lines: readonly Line[]): Readonly<Record<string, readonly [number, number]>> {
  const minutes = lines.filter(({ type }) => type === 'minute')
  return Object.fromEntries(
    [...Map.groupBy(minutes, ({ table, topic }) => `${table} ${topic}`)].map(([key, rows]) => [
      key,
      [rows.reduce((sum, row) => sum + row.records, 0), rows.reduce((sum, row) => sum + row.deadLetters, 0)]
    ])
  )
}

test(
  'what runs have put into tables is told by topic, as a table and as lines, and nothing else is asked',
  LIMIT,
  async context => {
    const { bronze, run, bootstrap } = await shop(context)
    const history = async (...args: string[]) => await bronze(['history', ...args]).ended
    const before = await history()
    assert.deepEqual(
      [before.code, before.err],
      [0, 'bronze: bronze.orders is not there\nbronze: bronze.clicks is not there\n']
    )
    assert.match(
      before.out,
      /^MINUTE \(UTC\) +TABLE .*\ntotal +bronze\.orders +- +0 +0 +0 +-\ntotal +bronze\.clicks .*\n$/
    )
    assert.equal((await run()).code, 0)
    await produce(bootstrap, 'orders', 0, ['{"number": 5}', 'bad', '{}'])
    assert.equal((await run()).code, 0)
    const { out, code, err } = await history('--json')
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(sums(linesOf(out)), { 'bronze.orders orders': [4, 2], 'bronze.clicks clicks': [1, 0] })
    const totals = linesOf(out).filter(({ type }) => type === 'total')
    assert.deepEqual(
      totals.map(({ table, records, deadLetters }) => [table, records, deadLetters]),
      [
        ['bronze.orders', 4, 2],
        ['bronze.clicks', 1, 0]
      ]
    )
    const text = (await history('--since', '1d', '--table', 'bronze.orders')).out
    assert.match(text, /\n20\d\d-\d\d-\d\d \d\d:\d\d +bronze\.orders +orders +\d+ +\d +\d+ +\d\d:\d\d:\d\d\n/)
    assert.match(text, /\ntotal +bronze\.orders +orders +4 +2 +\d+ +20.*\n$/)
    assert.doesNotMatch(text, /clicks/)
    assert.deepEqual(sums(linesOf((await history('--json', '--topic', 'clicks')).out)), {
      'bronze.clicks clicks': [1, 0]
    })
    assert.deepEqual(
      sums(linesOf((await history('--json', '--until', '2020-01-01T00:00Z', '--since', '2019-01-01')).out)),
      {}
    )
  }
)

test('watching, new commits are told when they come, and all of it at the end', LIMIT, async context => {
  const { bronze, run, bootstrap } = await shop(context)
  assert.equal((await run()).code, 0)
  const watching = bronze(['history', '--watch', '--json'])
  let out = ''
  const toldUpTo = Promise.withResolvers<void>()
  watching.child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
    const complete = linesOf(out.slice(0, out.lastIndexOf('\n') + 1))
    if (sums(complete)['bronze.orders orders']?.[0] === 3) toldUpTo.resolve()
  })
  await produce(bootstrap, 'orders', 0, ['{"number": 6}'])
  assert.equal((await run()).code, 0)
  await toldUpTo.promise
  watching.child.kill('SIGINT')
  const { code } = await watching.ended
  assert.equal(code, 0)
  assert.deepEqual(
    linesOf(out)
      .filter(({ type }) => type === 'total')
      .map(({ records }) => records),
    [3, 1]
  )
})

test('a table that cannot be read is named, and nothing is said to be all', LIMIT, async context => {
  const { bronze, folder } = await shop(context)
  const file = join(folder, 'away.yaml')
  await writeFile(
    file,
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: away}
spec:
  source: {bootstrapServers: ['127.0.0.1:1']}
  topics: [{name: orders, table: bronze.orders}]
  sink: {iceberg: {catalog: {uri: 'http://127.0.0.1:1'}}}
`
  )
  const { code, out, err } = await bronze(['history', '-f', file, '--name', 'away']).ended
  assert.equal(code, 1)
  assert.match(err, /^bronze: bronze\.orders cannot be read now: CatalogUnreachable: /)
  assert.match(out, /\ntotal +bronze\.orders +- +≥0 +≥0 +≥0 +-\n$/)
})

test('what cannot be meant is wrong usage', LIMIT, async context => {
  const { bronze } = await shop(context)
  const usage = async (...args: string[]) => {
    const { code, err } = await bronze(['history', ...args]).ended
    assert.equal(code, 2, err)
    return err
  }
  assert.match(await usage('--since', 'yesterday'), /--since takes how long ago .* not 'yesterday'/)
  assert.match(await usage('--since', '2026-13-45T10:00Z'), /--since takes/)
  assert.match(await usage('--until', '2h'), /--until is before --since/)
  assert.match(await usage('--until', '1m', '--watch'), /--watch has no end/)
  assert.match(await usage('--table', 'orders'), /no table orders, but bronze\.orders, bronze\.clicks/)
})
