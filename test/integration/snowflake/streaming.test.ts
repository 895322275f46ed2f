import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { snowflakeSessions } from '../../../consumer/sinks/snowflake/session/open.ts'
import { connectStreaming } from '../../../consumer/sinks/snowflake/streaming/connect.ts'
import { readStreamingHistory } from '../../../consumer/sinks/snowflake/streaming/history.ts'
import { SqlLedger } from '../../../consumer/sinks/snowflake/streaming/sql-ledger.ts'
import { snowflakeTable } from '../../../consumer/sinks/snowflake/sql/table.ts'
import { timestampText } from '../../../consumer/sinks/snowflake/sql/timestamp-text.ts'
import { TableSession } from '../../../consumer/sinks/snowflake/table-session.ts'
import { TableState } from '../../../consumer/sinks/snowflake/table-state.ts'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import { batchOf, plannedTable } from '../../conformance/batches.ts'
import { testStreamingLedger, type LedgerHarness } from '../../conformance/streaming-ledger.ts'
import { STREAMING_SINK, readTestSecret, rowId, testAccount } from '../../fakes/snowpipe-harness.ts'
import { SnowpipeServer } from '../../fakes/snowpipe-server.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const server = need('snowflake')

/** A table of the stand-in, in a schema of its own, and how sessions to it are opened. */
async function world() {
  const { url, account, database, warehouse, user, privateKey } = await sharedSnowflake()
  const namespace = `n${randomUUID().replaceAll('-', '')}`
  const { pipeline, plan } = plannedTable(STREAMING_SINK, { namespace })
  assert.ok(pipeline.sink.kind === 'snowflake')
  const snowflake = { ...pipeline.sink.snowflake, account, url, database, warehouse }
  const readSecret = async (_: string, key: string) => ({ user, privateKey })[key]
  const open = snowflakeSessions({ snowflake, readSecret, clock: systemClock })
  const session = (owner: string) =>
    new TableSession({
      open,
      table: plan.table,
      author: { pipeline: 'test', createdAt: undefined, consumerId: owner },
      log: silentLog
    })
  const own = session('test')
  const state = new TableState(own, { plan, pipeline, snowflake, clock: systemClock })
  const drop = async () => {
    await own.run({ text: `DROP SCHEMA IF EXISTS ${state.objects.schemaRef}` })
    await own.discard()
  }
  return { pipeline, plan, snowflake, open, session, own, state, drop }
}

testStreamingLedger(
  'ledger by SQL',
  async (): Promise<LedgerHarness> => {
    const { session, own, state, drop } = await world()
    await own.reading(async () => await state.open())
    const { objects } = state
    const sessions: TableSession[] = []
    return {
      process: consumerId => {
        const author = { pipeline: 'lake/one', createdAt: undefined, consumerId }
        const each = session(consumerId)
        sessions.push(each)
        return new SqlLedger({ session: each, objects, clock: systemClock, author })
      },
      putLetters: async letters => {
        await own.begin()
        for (const { writeId, partition, offset } of letters) {
          await own.run({
            text: `INSERT INTO ${objects.deadLetterRef} (KAFKA_METADATA) SELECT PARSE_JSON(?)`,
            binds: [JSON.stringify({ write_id: writeId, topic: 'orders', partition, offset })]
          })
        }
        await own.commit()
      },
      letters: async () => {
        const columns = ['write_id', 'partition', 'offset'].map(name => `KAFKA_METADATA:"${name}"::VARCHAR`)
        const text = `SELECT ${columns[0]} || ' ' || ${columns[1]} || '-' || ${columns[2]} AS LETTER FROM ${objects.deadLetterRef}`
        return await own.reading(async () => (await own.run({ text })).rows.map(row => row['LETTER'] ?? '').sort())
      },
      close: async () => {
        for (const each of sessions) await each.discard()
        await drop()
      }
    }
  },
  server
)

test(
  'rows go through channels, and offsets alone through the ledger table, of one pipeline after another',
  server,
  async () => {
    const { pipeline, plan, snowflake, open, drop } = await world()
    const streaming = new SnowpipeServer(testAccount().account)
    await streaming.start()
    const columns = streaming.state.table('ORDERS').columns
    for (const { name } of plan.schema.fields) columns.add(name.toUpperCase())
    streaming.state.table('DLQ_ORDERS')
    const start = async (consumerId: string) => {
      const author = { pipeline: 'lake/one', createdAt: undefined, consumerId }
      const ports = { readSecret: readTestSecret, clock: systemClock, log: silentLog, author, open }
      const sinks = await connectStreaming(pipeline, { ...snowflake, account: 'acme-test', url: streaming.url }, ports)
      const sink = sinks.open(plan)
      await sink.open()
      return { sink, close: async () => Promise.all([sink.close(), sinks.close()]) }
    }
    const next = async ({ sink }: Awaited<ReturnType<typeof start>>) =>
      (await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset
    const commit = async ({ sink }: Awaited<ReturnType<typeof start>>, part: Parameters<typeof batchOf>[1][0]) =>
      (await sink.commit([await sink.stage(batchOf(plan, [part]))])).status
    try {
      const one = await start('one')
      assert.equal(await next(one), undefined)
      assert.equal(await commit(one, { from: 0, to: 5, expected: undefined, empty: true }), 'committed')
      assert.equal(await commit(one, { from: 5, to: 8 }), 'committed')
      assert.equal(await commit(one, { from: 8, to: 10, empty: true }), 'committed')
      assert.equal(await next(one), 10)
      await one.close()
      // The ledger knows where the channel ended, whatever becomes of it.
      streaming.state.expire()
      const two = await start('two')
      assert.equal(await next(two), 10)
      assert.equal(await commit(two, { from: 10, to: 12 }), 'committed')
      assert.equal(await commit(two, { from: 11, to: 13 }), 'fenced')
      assert.deepEqual(streaming.state.table('ORDERS').rows.map(rowId), ['0-5', '0-6', '0-7', '0-10', '0-11'])
      await two.close()
    } finally {
      streaming.close()
      await drop()
    }
  }
)

test('the past of a table is told by its rows and dead letters', server, async () => {
  const { plan, pipeline, snowflake, own, state, drop } = await world()
  try {
    await own.reading(async () => await state.open())
    const table = snowflakeTable(plan, pipeline, snowflake)
    await own.begin()
    for (const [second, topic] of [
      [10, 'orders'],
      [10, 'orders'],
      [40, 'orders'],
      [40, 'clicks'],
      [70, 'orders']
    ] as const) {
      await own.run({
        text: `INSERT INTO ${table.objects.tableRef} ("_INGESTED_AT", "_KAFKA_TOPIC") SELECT ?::TIMESTAMP_NTZ, ?`,
        binds: [timestampText(second * 1000), topic]
      })
      await own.run({
        text: `INSERT INTO ${table.objects.deadLetterRef} (FAILED_AT, KAFKA_METADATA) SELECT ?::TIMESTAMP_NTZ, PARSE_JSON(?)`,
        binds: [timestampText(second * 1000 + 5), JSON.stringify({ topic, pipeline: 'lake/one' })]
      })
    }
    await own.commit()
    const told = []
    const session = { run: own.run.bind(own), put: own.put.bind(own), close: async () => {} }
    const range = { sinceMs: 5_000, untilMs: 60_000 }
    for await (const entry of readStreamingHistory({ session, table, topic: 'orders', ...range })) told.push(entry)
    assert.deepEqual(
      told.map(({ committedMs, topic, records, deadLetters, pipeline: by }) => [
        committedMs,
        topic,
        records,
        deadLetters,
        by
      ]),
      [
        [0, 'clicks', 0, 1, 'lake/one'],
        [0, 'orders', 0, 3, 'lake/one'],
        [10_000, 'orders', 2, 0, undefined],
        [40_000, 'clicks', 1, 0, undefined],
        [40_000, 'orders', 1, 0, undefined]
      ]
    )
  } finally {
    await drop()
  }
})
