/** `bronze status` and `bronze clean` as a user sees them: around real runs, on the embedded broker, with tables in a folder. */
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { produce } from '../consumer/process/kafka.ts'
import { shop } from './shop.ts'

const LIMIT = { timeout: 280_000 }

test('status tells of a pipeline what its group knows, before, between and after runs', LIMIT, async context => {
  const { bronze, run, bootstrap, folder } = await shop(context)
  const states = async () => {
    const { code, out } = await bronze(['status', '-o', 'json']).ended
    const { topics, consumers, well } = JSON.parse(out) as {
      topics: { state: string; lag: number | null; deadLetters: number | null }[]
      consumers: number
      well: boolean
    }
    return { code, well, consumers, topics: topics.map(({ state, lag, deadLetters }) => [state, lag, deadLetters]) }
  }
  const unknown = ['Unknown', null, null]
  assert.deepEqual(await states(), { code: 1, well: false, consumers: 0, topics: [unknown, unknown] })
  assert.equal((await run()).code, 0)
  const caughtUp = ['CaughtUp', 0, 0]
  assert.deepEqual(await states(), { code: 0, well: true, consumers: 0, topics: [['CaughtUp', 0, 1], caughtUp] })
  await produce(bootstrap, 'clicks', 0, ['{"number": 4}'])
  assert.deepEqual(await states(), {
    code: 1,
    well: false,
    consumers: 0,
    topics: [
      ['CaughtUp', 0, 1],
      ['Stopped', 1, 0]
    ]
  })
  const { out, code } = await bronze(['status', '--topic', 'clicks']).ended
  assert.match(
    out,
    /^default\/shop +group bronze\.default\.shop +0 consumers\nTOPIC .*\nclicks +bronze\.clicks +Stopped +1 +1 /
  )
  assert.equal(code, 1)
  const left = await readdir(join(folder, 'tmp'))
  assert.deepEqual(
    left.filter(name => name.startsWith('bronze-')),
    []
  )
})

test('clean drops the tables once their pipeline is named, and a later run reads all again', LIMIT, async context => {
  const { bronze, run, rows, held } = await shop(context)
  assert.equal((await run()).code, 0)
  assert.deepEqual([await rows('orders'), await rows('dlq_orders'), await rows('clicks')], [2, 1, 1])
  const refused = await bronze(['clean'], 'shp\n').ended
  assert.equal(refused.code, 1, refused.err)
  assert.match(
    refused.out,
    /drops the tables of default\/shop.*\n {2}bronze\.orders +file:.*\/tables\/bronze\/orders\/ +\d+ objects, /
  )
  assert.match(refused.err, /nothing was dropped/)
  assert.equal((await bronze(['clean'], '').ended).code, 1)
  assert.deepEqual([await rows('orders'), await held()], [2, [3, 1]])
  const cleaned = await bronze(['clean'], 'shop\n').ended
  assert.equal(cleaned.code, 0, cleaned.err)
  assert.match(
    cleaned.out,
    /bronze\.orders: dropped\nbronze\.dlq_orders: dropped\nbronze\.clicks: dropped\nbronze\.dlq_clicks: dropped\n$/
  )
  assert.deepEqual(
    [await rows('orders'), await rows('dlq_orders'), await held()],
    [undefined, undefined, [undefined, undefined]]
  )
  const again = await bronze(['clean', '--yes']).ended
  assert.deepEqual([again.code, /bronze\.orders +not there/.test(again.out)], [0, true])
  assert.equal((await run()).code, 0)
  assert.deepEqual([await rows('orders'), await rows('dlq_orders'), await rows('clicks')], [2, 1, 1])
})

test('raw objects are written, told, dropped, and written again', LIMIT, async context => {
  const { bronze, run, folder } = await shop(context, 's3')
  for (const round of ['first', 'second']) {
    const { code, out } = await run()
    assert.equal(code, 0, `${round}: ${out}`)
    assert.match((await bronze(['status']).ended).out, /orders +bronze\.orders +CaughtUp .* 1\n/)
    const history = (await bronze(['history']).ended).out
    assert.match(history, /\ntotal +bronze\.orders +orders +2 +1 /)
    assert.match(history, /\ntotal +bronze\.clicks +clicks +1 +0 /)
    const cleaned = await bronze(['clean'], 'shop\n').ended
    assert.equal(cleaned.code, 0, cleaned.err)
    assert.match(cleaned.out, / {2}bronze\.orders +file:\S+\/tables\/bronze\/orders\/ +\d+ objects, /)
    assert.match(cleaned.out, /bronze\.orders: dropped\nbronze\.dlq_orders: dropped\n/)
    assert.deepEqual(await readdir(join(folder, 'tables/bronze')), [])
  }
  const gone = await bronze(['history']).ended
  assert.deepEqual(
    [gone.code, gone.err],
    [0, 'bronze: bronze.orders is not there\nbronze: bronze.clicks is not there\n']
  )
})

test('clean of one entry leaves the tables and offsets of the others alone', LIMIT, async context => {
  const { bronze, run, rows, held } = await shop(context)
  assert.equal((await run()).code, 0)
  const { code, err } = await bronze(['clean', '--topic', 'orders', '--yes']).ended
  assert.equal(code, 0, err)
  assert.deepEqual([await rows('orders'), await rows('clicks'), await held()], [undefined, 1, [0, 1]])
  assert.equal((await run('--topic', 'orders')).code, 0)
  assert.deepEqual([await rows('orders'), await rows('clicks')], [2, 1])
})

test('clean refuses while consumers are in the group', LIMIT, async context => {
  const { bronze, rows } = await shop(context)
  const running = bronze(['run', '--output', 'json'])
  let output = ''
  const caughtUp = Promise.withResolvers<void>()
  running.child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    if (/"lag":0,/.test(output)) caughtUp.resolve()
  })
  await caughtUp.promise
  const { code, err } = await bronze(['clean', '--yes']).ended
  assert.equal(code, 1)
  assert.match(err, /GroupInUse: the group bronze\.default\.shop has 1 member: stop the consumers first/)
  assert.equal(await rows('orders'), 2)
  running.child.kill('SIGINT')
  assert.equal((await running.ended).code, 0)
})

test('what cannot be meant is wrong usage', LIMIT, async context => {
  const { folder, bronze } = await shop(context)
  const usage = async (...args: string[]) => {
    const { code, err } = await bronze(args).ended
    assert.equal(code, 2, err)
    return err
  }
  assert.match(await usage('clean', '-f', '-'), /add --yes/)
  assert.match(await usage('clean', '--keep-files'), /--keep-files goes with Iceberg tables only/)
  assert.match(await usage('clean', '--topic', 'other'), /no entry other in spec\.topics; there are orders, clicks/)
  assert.match(await usage('status', '--topic', 'other'), /no entry other/)
  const shared = join(folder, 'shared.yaml')
  await writeFile(
    shared,
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: both}
spec:
  source: {bootstrapServers: ['127.0.0.1:1']}
  topics: [{name: a, table: bronze.t}, {name: b, table: bronze.t}]
  sink: {delta: {location: 'file:///tables'}}
`
  )
  assert.match(
    await usage('clean', '-f', shared, '--name', 'both', '--topic', 'a'),
    /bronze\.t is that of b too: choose it as well/
  )
})
