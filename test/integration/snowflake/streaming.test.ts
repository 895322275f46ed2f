import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { snowflakeSessions } from '../../../consumer/sinks/snowflake/session/open.ts'
import { connectStreaming } from '../../../consumer/sinks/snowflake/streaming/connect.ts'
import { SqlLedger } from '../../../consumer/sinks/snowflake/streaming/sql-ledger.ts'
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
    new TableSession({ open, tag: 'bronze test', owner, log: silentLog, lockTimeoutSeconds: 30 })
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
