import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import { readHistory, historyEntries } from '../../../consumer/sinks/snowflake/sql/commits.ts'
import { tableObjects } from '../../../consumer/sinks/snowflake/sql/objects.ts'
import { snowflakeSessions } from '../../../consumer/sinks/snowflake/session/open.ts'
import { openSnowflakeSink, type SinkLimits } from '../../../consumer/sinks/snowflake/sink.ts'
import { systemClock } from '../../../lib/clock.ts'
import { Gate } from '../../../lib/gate.ts'
import { silentLog } from '../../../lib/log.ts'
import { groupOf } from '../../consumer/ndjson/lines.ts'
import { shop, sinkOf } from '../../consumer/sinks/snowflake/sql/tables.ts'
import { hastyClock } from '../../fakes/delta-harness.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const needed = need('snowflake')
const GOOD = '{"a":1}'
/** JSON for our scanner; Snowflake refuses a key that is there twice. */
const TWICE = '{"a":1,"a":2}'

/** A table of the stand-in and a sink that writes it; `before` has the name of the table. */
async function setUp(
  spec: string,
  limits: Partial<SinkLimits> = {},
  before: (table: string) => readonly string[] = () => [],
  settings = ''
) {
  const server = await sharedSnowflake()
  const secrets: Readonly<Record<string, string>> = { user: server.user, password: server.password }
  const named = spec.replaceAll('SCHEMA', `R_${randomUUID().slice(0, 8)}`)
  const pipeline = shop(named, `, authentication: Password${settings}`)
  const [plan] = planTables(pipeline)
  assert.ok(plan !== undefined)
  const snowflake = { ...sinkOf(pipeline), url: server.url, database: server.database, warehouse: server.warehouse }
  const reader = await server.connect()
  const objects = tableObjects(snowflake, plan.table, plan.deadLetterTable)
  for (const text of before(objects.tableRef)) await reader.query(text)
  const sink = openSnowflakeSink({
    plan,
    pipeline,
    snowflake,
    open: snowflakeSessions({ snowflake, readSecret: async (_name, key) => secrets[key], clock: systemClock }),
    clock: hastyClock,
    log: silentLog,
    author: { pipeline: 'lake/shop', createdAt: undefined, consumerId: 'shop-0' },
    uploads: new Gate(1),
    limits: { commitAttempts: 3, ...limits }
  })
  await sink.open()
  const commit = async (values: readonly (string | null)[], more: object = {}) => {
    const rows = values.map((value, offset) => ({
      _kafka_topic: 'orders',
      _kafka_partition: 0,
      _kafka_offset: BigInt(offset),
      _kafka_timestamp: 1_795_255_205_123_000n,
      _ingestion_id: `orders-0-${offset}`,
      value,
      ...more
    }))
    const partition = { topic: 'orders', topicId: 'topic-1', partition: 0 }
    const part = { partition, epoch: 0, expectedOffset: undefined, nextOffset: rows.length, deadLetters: undefined }
    const parts = [{ ...part, rows: [groupOf(plan.schema, rows)] }]
    return await sink.commit([await sink.stage({ commitId: randomUUID(), takenAtMs: 1_795_255_205_200, parts })])
  }
  const count = async (ref: string) => Number((await reader.rows(`SELECT COUNT(*) AS N FROM ${ref}`))[0]?.['N'])
  return {
    sink,
    reader,
    objects,
    commit,
    count,
    history: async () => {
      const { text, binds = [] } = readHistory(objects, 0, Date.now() + 86_400_000)
      return historyEntries(await reader.rows(text, ...binds))
    },
    close: async () => await Promise.all([sink.close(), reader.close()])
  }
}

for (const inlineBytes of [512 << 10, 0]) {
  test(
    `a row that Snowflake refuses is a dead letter of the same commit (${inlineBytes} bytes inline)`,
    needed,
    async () => {
      const { commit, count, history, objects, close } = await setUp(
        'topics: [{name: orders, table: SCHEMA.orders, format: Json}]',
        { inlineBytes }
      )
      assert.equal((await commit([GOOD, TWICE, null, TWICE])).status, 'committed')
      assert.equal(await count(objects.tableRef), 2)
      assert.equal(await count(objects.deadLetterRef ?? ''), 2)
      assert.deepEqual(
        (await history()).map(({ topic, records, deadLetters }) => ({ topic, records, deadLetters })),
        [{ topic: 'orders', records: 2, deadLetters: 2 }]
      )
      await close()
    }
  )
}

for (const mode of ['Transaction', 'Merge']) {
  for (const inlineBytes of [512 << 10, 0]) {
    test(
      `rows that no expression foresaw are found and are dead letters too (${mode}, ${inlineBytes} bytes inline)`,
      needed,
      async () => {
        const { reader, commit, count, history, objects, close } = await setUp(
          'topics: [{name: orders, table: SCHEMA.orders, format: Json}]',
          { inlineBytes },
          () => [],
          `, mode: ${mode}`
        )
        // While a consumer runs: it knows the limits of columns from its start.
        const { tableRef, deadLetterRef = '' } = objects
        await reader.query(`CREATE OR REPLACE TABLE ${tableRef} (_KAFKA_TOPIC VARCHAR, _KAFKA_PARTITION NUMBER(38,0),
          _KAFKA_OFFSET NUMBER(38,0), _KAFKA_TIMESTAMP TIMESTAMP_NTZ, _KAFKA_KEY BINARY, _KAFKA_HEADERS VARIANT,
          _INGESTED_AT TIMESTAMP_NTZ, _INGESTION_DATE DATE, _INGESTION_ID VARCHAR(10), _CONSUMER_ID VARCHAR, VALUE VARIANT)`)
        const outcome = await commit([GOOD, TWICE, ...Array.from({ length: 8 }, () => GOOD), '{"b":1}', null])
        assert.equal(outcome.status, 'committed')
        assert.equal(await count(tableRef), 9)
        const letters = await reader.rows(
          `SELECT KAFKA_METADATA:offset::INT AS O, ERROR_MESSAGE AS E, TO_JSON(RAW_PAYLOAD) AS P FROM ${deadLetterRef} ORDER BY 1`
        )
        assert.deepEqual(
          letters.map(row => [row['O'], row['P']]),
          [
            ['1', JSON.stringify(TWICE)],
            ['10', '{"b":1}'],
            ['11', null]
          ]
        )
        assert.match(letters[1]?.['E'] ?? '', /^RefusedBySnowflake: String is too long.*\(100078\)/)
        assert.deepEqual(
          (await history()).map(({ records, deadLetters }) => ({ records, deadLetters })),
          [{ records: 9, deadLetters: 3 }]
        )
        await close()
      }
    )
  }
}

for (const policy of ['Stop', 'Topic']) {
  test(`policy ${policy} stops at a row that Snowflake refuses, and nothing of the commit is in`, needed, async () => {
    const { commit, count, objects, sink, close } = await setUp(
      `topics: [{name: orders, table: SCHEMA.orders, format: Json}]\ndeadLetters: {policy: ${policy}}`
    )
    await assert.rejects(commit([GOOD, TWICE]), {
      reason: 'RefusedBySnowflake',
      message: /orders-0-1.*VALUE is no JSON/
    })
    assert.equal(await count(objects.tableRef), 0)
    assert.equal((await sink.recover(['orders'])).offsets.size, 0)
    await close()
  })
}

test('policy Inline keeps the row, and stops at one that the columns of others forbid', needed, async () => {
  const spec = 'topics: [{name: orders, table: SCHEMA.orders, format: Json}]\ndeadLetters: {policy: Inline}'
  const kept = await setUp(spec)
  assert.equal((await kept.commit([GOOD, TWICE])).status, 'committed')
  assert.equal(await kept.count(kept.objects.tableRef), 2)
  await kept.close()
  const strict = await setUp(spec, {}, table => [
    `CREATE SCHEMA IF NOT EXISTS ${table.split('.').slice(0, 2).join('.')}`,
    `CREATE TABLE ${table} ("_CONSUMER_ID" VARCHAR NOT NULL)`
  ])
  await assert.rejects(strict.commit([GOOD]), { reason: 'RefusedBySnowflake', message: /_CONSUMER_ID is null/ })
  assert.equal(await strict.count(strict.objects.tableRef), 0)
  await strict.close()
})

test(
  'mode Merge leaves out what another writer has written, and still finds what Snowflake refuses',
  needed,
  async () => {
    const { commit, count, objects, close } = await setUp(
      'topics: [{name: orders, table: SCHEMA.orders, format: Json}]',
      {},
      table => [
        `CREATE SCHEMA IF NOT EXISTS ${table.split('.').slice(0, 2).join('.')}`,
        `CREATE TABLE ${table} (_INGESTION_ID VARCHAR, _KAFKA_PARTITION NUMBER, _KAFKA_OFFSET NUMBER)`,
        `INSERT INTO ${table} VALUES ('orders-0-0', 0, 0)`
      ],
      ', mode: Merge'
    )
    assert.equal((await commit([GOOD, TWICE, null])).status, 'committed')
    assert.equal(await count(objects.tableRef), 2)
    assert.equal(await count(objects.deadLetterRef ?? ''), 1)
    await close()
  }
)

test(
  'a table that was restored or dropped by itself stops the consumers; its offsets are of another one',
  needed,
  async () => {
    const { sink, commit, count, objects, reader, close } = await setUp(
      'topics: [{name: orders, table: SCHEMA.orders, format: Json}]'
    )
    await commit([GOOD, null])
    await sink.recover(['orders'])
    await reader.query(`CREATE OR REPLACE TABLE ${objects.tableRef} AS SELECT * FROM ${objects.tableRef} LIMIT 1`)
    await assert.rejects(sink.open(), { reason: 'RolledBack' })
    await assert.rejects(sink.recover(['orders']), { reason: 'RolledBack' })
    await reader.query(`DROP TABLE ${objects.tableRef}`)
    await assert.rejects(sink.open(), { reason: 'TableDropped' })
    await reader.query(`DROP TABLE ${objects.ledgerRef}`)
    await sink.open()
    assert.equal((await sink.recover(['orders'])).offsets.size, 0)
    assert.equal((await commit([GOOD])).status, 'committed')
    assert.equal(await count(objects.tableRef), 1)
    await close()
  }
)
