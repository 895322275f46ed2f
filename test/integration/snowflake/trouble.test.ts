import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { dropSnowflakeTable, findSnowflakeTable } from '../../../consumer/sinks/snowflake/drop.ts'
import { readSnowflakeHistory } from '../../../consumer/sinks/snowflake/history.ts'
import { tableObjects } from '../../../consumer/sinks/snowflake/sql/objects.ts'
import { snowflakeSessions } from '../../../consumer/sinks/snowflake/session/open.ts'
import type { SnowflakeSession } from '../../../consumer/sinks/snowflake/session/session.ts'
import { openSnowflakeSink, type SnowflakeSinkOptions } from '../../../consumer/sinks/snowflake/sink.ts'
import type { Sink } from '../../../consumer/sink.ts'
import { systemClock } from '../../../lib/clock.ts'
import { FatalError } from '../../../lib/errors.ts'
import { Gate } from '../../../lib/gate.ts'
import { silentLog } from '../../../lib/log.ts'
import { batchOf, plannedTable, type PartOptions } from '../../conformance/batches.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake, startSnowflake, type Snowflake } from '../../servers/snowflake.ts'

const server = need('snowflake')

async function setUp(to: Snowflake, more: object = {}) {
  const { url, account, database, warehouse, user, privateKey } = to
  const spec = { account, url, database, warehouse, credentialsSecretRef: { name: 'key' }, ...more }
  const namespace = `n${randomUUID().replaceAll('-', '')}`
  const { pipeline, plan } = plannedTable(JSON.stringify({ snowflake: spec }), { namespace })
  assert.ok(pipeline.sink.kind === 'snowflake')
  const { snowflake } = pipeline.sink
  const readSecret = async (_name: string, key: string) => ({ user, privateKey })[key]
  const open = snowflakeSessions({ snowflake, readSecret, clock: systemClock })
  const opened: { close(): Promise<void> }[] = []
  return {
    plan,
    snowflake,
    open,
    objects: tableObjects(snowflake, plan.table, plan.deadLetterTable),
    session: async (): Promise<SnowflakeSession> => {
      const session = await open('test')
      opened.push(session)
      return session
    },
    sink: async (consumerId: string, options: Partial<SnowflakeSinkOptions> = {}): Promise<Sink> => {
      const sink = openSnowflakeSink({
        plan,
        pipeline,
        snowflake,
        open,
        clock: systemClock,
        log: silentLog,
        uploads: new Gate(2),
        author: { pipeline: 'test/trouble', createdAt: undefined, consumerId },
        ...options
      })
      opened.push(sink)
      await sink.open()
      return sink
    },
    commit: async (sink: Sink, part: PartOptions) => await sink.commit([await sink.stage(batchOf(plan, [part]))]),
    close: async () => {
      for (const each of opened) await each.close()
    }
  }
}

const FIRST: PartOptions = { from: 0, to: 3, expected: undefined }

test('a table that is dropped under us stops the consumer and says how to go on', server, async () => {
  const context = await setUp(await sharedSnowflake())
  try {
    const sink = await context.sink('one')
    await context.commit(sink, FIRST)
    await (await context.session()).run({ text: `DROP TABLE ${context.objects.tableRef}` })
    const works = [() => context.commit(sink, { from: 3, to: 4 }), () => sink.recover(['orders'])]
    for (const work of works) {
      await assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof FatalError, String(error))
        assert.equal(error.reason, 'TableDropped')
        assert.ok(error.message.includes(context.objects.tableRef))
        return true
      })
    }
  } finally {
    await context.close()
  }
})

test('a column that is dropped under us is added again, and the commit goes on', server, async () => {
  const context = await setUp(await sharedSnowflake())
  try {
    const sink = await context.sink('one')
    await context.commit(sink, FIRST)
    const session = await context.session()
    await session.run({ text: `ALTER TABLE ${context.objects.tableRef} DROP COLUMN ID` })
    await assert.rejects(context.commit(sink, { from: 3, to: 5 }), { code: 'SchemaMoved' })
    await sink.recover(['orders'])
    assert.equal((await context.commit(sink, { from: 3, to: 5 })).status, 'committed')
    const { rows } = await session.run({
      text: `SELECT COUNT(*) AS N, COUNT(ID) AS I FROM ${context.objects.tableRef}`
    })
    assert.deepEqual(rows, [{ N: '5', I: '2' }])
  } finally {
    await context.close()
  }
})

test('a database that is not there, or is not to be seen, names the field and the grant', server, async () => {
  const context = await setUp({ ...(await sharedSnowflake()), database: 'ELSEWHERE' })
  await assert.rejects(context.sink('one'), {
    reason: 'SnowflakeObjectMissing',
    message: /ELSEWHERE.*spec\.sink\.snowflake\.database.*GRANT USAGE ON DATABASE/
  })
  await context.close()
})

/** A consumer that was killed between the move of its offsets and COMMIT: Snowflake knows nothing of its end. */
async function killedInCommit(context: Awaited<ReturnType<typeof setUp>>, consumerId: string): Promise<void> {
  let isArmed = false
  let isDead = false
  const never = new Promise<never>(() => {})
  const reached = Promise.withResolvers<void>()
  const sink = await context.sink(consumerId, {
    open: async tag => {
      const session = await context.open(tag)
      return {
        run: async statement => {
          if (isArmed && statement.text === 'COMMIT') {
            isDead = true
            reached.resolve()
          }
          return isDead ? await never : await session.run(statement)
        },
        put: async (...file) => await session.put(...file),
        close: async () => {}
      }
    }
  })
  isArmed = true
  void context.commit(sink, { ...FIRST, partition: 1 })
  await reached.promise
}

test(
  'a consumer that comes back ends what it left open, and commits without waiting for its own lock',
  server,
  async () => {
    const context = await setUp(await sharedSnowflake())
    try {
      await killedInCommit(context, 'one')
      const heir = await context.sink('one', { limits: { lockTimeoutSeconds: 1, commitAttempts: 1 } })
      assert.equal((await context.commit(heir, { ...FIRST, partition: 1 })).status, 'committed')
    } finally {
      await context.close()
    }
  }
)

test('a lock that a dead consumer took with it is broken by another one after two timeouts', server, async () => {
  const context = await setUp(await sharedSnowflake())
  try {
    await killedInCommit(context, 'one')
    const limits = { lockTimeoutSeconds: 1, ledgerMs: 500 }
    const other = await context.sink('two', { limits })
    assert.equal((await context.commit(other, FIRST)).status, 'committed')
    const { rows } = await (
      await context.session()
    ).run({ text: `SELECT COUNT(*) AS N FROM ${context.objects.tableRef}` })
    assert.equal(rows[0]?.['N'], '3')
  } finally {
    await context.close()
  }
})

test('a commit waits for a suspended warehouse until somebody resumes it, and does not wake it', server, async () => {
  const own = await startSnowflake()
  const context = await setUp(own, { flushWhenWarehouseIdle: false, maxIdleDelay: '1h' })
  try {
    const slept: number[] = []
    const somebody = await own.connect()
    const sink = await context.sink('one', {
      clock: {
        ...systemClock,
        sleep: async ms => {
          slept.push(ms)
          if (slept.length === 3) await somebody.query(`ALTER WAREHOUSE ${own.warehouse} RESUME`)
        }
      }
    })
    await context.commit(sink, FIRST)
    await somebody.query(`ALTER WAREHOUSE ${own.warehouse} SUSPEND`)
    await context.commit(sink, { from: 3, to: 5 })
    assert.deepEqual(slept, [10_000, 10_000, 10_000])
    await somebody.close()
  } finally {
    await context.close()
    await own.stop()
  }
})

test('what statements took of the warehouse is told after ten minutes', server, async () => {
  const context = await setUp(await sharedSnowflake())
  try {
    let aheadMs = 0
    const told: [table: string, seconds: number][] = []
    const sink = await context.sink('one', {
      clock: { ...systemClock, now: () => Date.now() + aheadMs },
      onWarehouseSeconds: (table, seconds) => told.push([table, seconds])
    })
    await context.commit(sink, FIRST)
    assert.deepEqual(told, [])
    aheadMs = 601_000
    await context.commit(sink, { from: 3, to: 5 })
    assert.equal(told.length, 1)
    assert.equal(told[0]?.[0], context.plan.table)
    assert.ok((told[0]?.[1] ?? 0) > 0)
  } finally {
    await context.close()
  }
})

test('history tells commits with their dead letters, oldest first; a dropped table has none', server, async () => {
  const context = await setUp(await sharedSnowflake())
  try {
    const sink = await context.sink('one')
    const sinceMs = Date.now()
    await context.commit(sink, { ...FIRST, bad: [1] })
    await context.commit(sink, { from: 3, to: 5 })
    const { snowflake, plan } = context
    const session = await context.session()
    await session.run({ text: "ALTER SESSION SET TIMEZONE = 'UTC'" })
    const range = { session, snowflake, table: plan.table, sinceMs, untilMs: Date.now() }
    const entries = await Array.fromAsync(readSnowflakeHistory(range))
    assert.deepEqual(
      entries.map(({ topic, pipeline, records, deadLetters }) => [topic, pipeline, records, deadLetters]),
      [
        ['orders', 'test/trouble', 2, 1],
        ['orders', 'test/trouble', 2, 0]
      ]
    )
    assert.equal((await findSnowflakeTable(session, snowflake, plan.table))?.rows, 4)
    for (const outcome of ['dropped', 'absent'])
      assert.equal(await dropSnowflakeTable(session, snowflake, plan.table), outcome)
    assert.deepEqual(await Array.fromAsync(readSnowflakeHistory(range)), [])
    const { rows } = await session.run({ text: `SHOW STAGES IN SCHEMA ${context.objects.schemaRef}` })
    assert.deepEqual(rows, [])
  } finally {
    await context.close()
  }
})
