/** What `bronze history` tells of tables, beside what other implementations count in them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { startBronze } from '../../fakes/bronze.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { python } from '../../servers/readers.ts'
import { sharedS3, storageOptions, type S3Addresses } from '../../servers/s3.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const counter = fileURLToPath(new URL('minutes.py', import.meta.url))
const LIMIT = { timeout: 400_000 }
const ROUNDS = 4
/** In each round: values of orders and clicks, and what is no JSON among the orders. */
const [ORDERS, CLICKS, BAD] = [50, 20, 3]

const S3_SECRET = ({ accessKeyId, secretAccessKey }: S3Addresses) => `---
apiVersion: v1
kind: Secret
metadata: {name: lake-user}
stringData: {accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey}}
`
const s3Field = ({ endpoint, region }: S3Addresses) =>
  `s3: {endpoint: '${endpoint}', region: ${region}, forcePathStyle: true, credentialsSecretRef: {name: lake-user}}`

interface Minute {
  readonly type: string
  readonly from: string
  readonly table: string
  readonly topic: string
  readonly records: number
  readonly deadLetters: number
  readonly commits: number
}

/** Runs a pipeline of two topics while they are written, and gives the way to `bronze` afterwards. */
async function ranPipeline(context: TestContext, name: string, sink: string, secret: string) {
  const { bootstrap } = await sharedKafka()
  const folder = await mkdtemp(join(tmpdir(), 'bronze-history-test-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const kafka = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true, maxInFlightRequests: 1 })]
  context.after(async () => await Promise.all([admin.disconnect(), producer.disconnect()]))
  const topics = ['orders', 'clicks'].map(topic => ({ topic: `${name}.${topic}`, numPartitions: 2 }))
  await admin.createTopics({ topics, waitForLeaders: true })
  await producer.connect()
  await writeFile(
    join(folder, 'pipeline.yaml'),
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: shop}
spec:
  source: {bootstrapServers: ['${bootstrap}'], groupId: ${name}}
  topics:
  - {name: orders, topic: ${name}.orders, table: ${name}.orders, format: Json}
  - {name: clicks, topic: ${name}.clicks, table: ${name}.clicks, format: Json}
  batch: {triggerInterval: 300ms}
  sink: {${sink}}
  scaling: {mode: Partitions, maxReplicas: 1}
${secret}`
  )
  const bronze = (...args: string[]) => startBronze(context, [...args, '-f', 'pipeline.yaml'], { cwd: folder })
  const values = (count: number) => Array.from({ length: count }, (_, number) => JSON.stringify({ number }))
  const running = bronze('run', '--output', 'json')
  for (let round = 0; round < ROUNDS; round++) {
    const orders = [...values(ORDERS), ...Array.from({ length: BAD }, () => 'no json')]
    await producer.send({ topic: `${name}.orders`, messages: orders.map(value => ({ value })) })
    await producer.send({ topic: `${name}.clicks`, messages: values(CLICKS).map(value => ({ value })) })
    // So that there are several commits.
    await wait(1_500)
  }
  // A producer that had to send again may have written twice.
  for (const [topic, count] of [
    ['orders', ORDERS + BAD],
    ['clicks', CLICKS]
  ] as const) {
    const ends = await admin.fetchTopicOffsets(`${name}.${topic}`)
    assert.equal(
      ends.reduce((sum, { high }) => sum + Number(high), 0),
      ROUNDS * count
    )
  }
  running.child.kill('SIGINT')
  const { code, out, err } = await running.ended
  assert.equal(code, 0, out + err)
  const run = await bronze('run', '--until-caught-up').ended
  assert.equal(run.code, 0, run.out + run.err)
  return bronze
}

/** What history tells: the minutes of each table, and checks of what must be so whatever the sink. */
async function toldMinutes(bronze: Awaited<ReturnType<typeof ranPipeline>>, name: string) {
  const { out, err, code } = await bronze('history', '--json').ended
  assert.deepEqual([code, err], [0, ''])
  const lines = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Minute)
  const minutes = lines.filter(({ type }) => type === 'minute')
  for (const { table, topic } of minutes) assert.equal(table, topic)
  const totals = lines.filter(({ type }) => type === 'total')
  assert.deepEqual(
    totals.map(({ table, records, deadLetters }) => [table, records, deadLetters]),
    [
      [`${name}.orders`, ROUNDS * ORDERS, ROUNDS * BAD],
      [`${name}.clicks`, ROUNDS * CLICKS, 0]
    ]
  )
  for (const { commits } of totals) assert.ok(commits >= 2, `${commits} commits`)
  return (table: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      minutes
        .filter(each => each.table === `${name}.${table}` && each.records > 0)
        .map(({ from, records }) => [String(Date.parse(from) / 60_000), records])
    )
}

const counted = async (request: object): Promise<Readonly<Record<string, number>>> =>
  JSON.parse(await python(counter, [], {}, JSON.stringify(request))) as Record<string, number>

const newName = () => `history_${randomUUID().slice(0, 8)}`

test(
  'of Delta tables, minute by minute as delta-rs counts',
  { ...need('kafka', 's3', 'readers'), ...LIMIT },
  async context => {
    const [name, s3] = [newName(), await sharedS3()]
    const bucket = name.replace('_', '-')
    await s3.createBucket(bucket)
    const sink = `delta: {location: 's3://${bucket}/tables', ${s3Field(s3)}}`
    const bronze = await ranPipeline(context, name, sink, S3_SECRET(s3))
    const told = await toldMinutes(bronze, name)
    const options = storageOptions(s3)
    for (const table of ['orders', 'clicks']) {
      const location = `s3://${bucket}/tables/${name}/${table}`
      assert.deepEqual(told(table), await counted({ kind: 'delta', location, options }))
    }
  }
)

test(
  'of Iceberg tables, minute by minute as pyiceberg counts',
  { ...need('kafka', 'catalog', 's3', 'readers'), ...LIMIT },
  async context => {
    const [name, { uri, s3 }] = [newName(), await sharedCatalog()]
    const sink = `iceberg: {catalog: {uri: '${uri}'}, ${s3Field(s3)}}`
    const bronze = await ranPipeline(context, name, sink, S3_SECRET(s3))
    const told = await toldMinutes(bronze, name)
    const properties = pyicebergProperties({ uri }, s3)
    for (const table of ['orders', 'clicks']) {
      assert.deepEqual(told(table), await counted({ kind: 'iceberg', properties, table: `${name}.${table}` }))
    }
  }
)

test('of raw objects, as PyArrow counts', { ...need('kafka', 's3', 'readers'), ...LIMIT }, async context => {
  const [name, s3] = [newName(), await sharedS3()]
  const bucket = name.replace('_', '-')
  await s3.createBucket(bucket)
  const sink = `s3: {location: 's3://${bucket}/raw', ${s3Field(s3)}}`
  const bronze = await ranPipeline(context, name, sink, S3_SECRET(s3))
  const told = await toldMinutes(bronze, name)
  const { accessKeyId, secretAccessKey, endpoint, region } = s3
  const store = { access_key: accessKeyId, secret_key: secretAccessKey, endpoint_override: endpoint, region }
  for (const table of ['orders', 'clicks']) {
    const rows = await counted({ kind: 'objects', store, folder: `${bucket}/raw/${name}/${table}` })
    assert.deepEqual(
      Object.values(told(table)).reduce((sum, records) => sum + records, 0),
      rows['0']
    )
  }
})

test(
  'of tables in Snowflake, as they are counted there',
  { ...need('kafka', 'snowflake'), ...LIMIT },
  async context => {
    const [name, account] = [newName(), await sharedSnowflake()]
    const fields = [
      `account: ${account.account}`,
      `url: '${account.url}'`,
      `database: ${account.database}`,
      `warehouse: ${account.warehouse}`,
      `role: ${account.role}`,
      'credentialsSecretRef: {name: snowflake}'
    ]
    const key = account.privateKey.trim().replaceAll(/^/gm, '    ')
    const secret = `---
apiVersion: v1
kind: Secret
metadata: {name: snowflake}
stringData:
  user: ${account.user}
  privateKey: |
${key}
`
    const bronze = await ranPipeline(context, name, `snowflake: {${fields.join(', ')}}`, secret)
    const told = await toldMinutes(bronze, name)
    const session = await account.connect()
    context.after(async () => await session.close())
    for (const table of ['orders', 'clicks']) {
      const rows = await session.rows(`SELECT COUNT(*) AS N FROM "${name.toUpperCase()}"."${table.toUpperCase()}"`)
      const records = Object.values(told(table)).reduce((sum, each) => sum + each, 0)
      assert.deepEqual(
        rows.map(row => Number(Object.values(row)[0])),
        [records]
      )
    }
  }
)
