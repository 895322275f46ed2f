// What Snowflake documents of transactions (sql-reference/transactions), and the stand-in keeps.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { need } from '../../servers/need.ts'
import { SnowflakeRefusal, type SnowflakeClient } from '../../servers/snowflake-client.ts'
import { sharedSnowflake, startSnowflake, type Snowflake } from '../../servers/snowflake.ts'

const WAIT_MS = 20
const needed = { ...need('snowflake'), timeout: 300_000 }

test('a statement sees what others have committed when it starts, also within a transaction', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('BEGIN')
  await one.query("INSERT INTO T VALUES ('mine', 1)")
  assert.deepEqual(await names(one), ['mine'])
  await other.query("INSERT INTO T VALUES ('theirs', 2)")
  assert.deepEqual(await names(other), ['theirs'])
  assert.deepEqual(await names(one), ['mine', 'theirs'])
  await one.query('COMMIT')
  assert.deepEqual(await names(other), ['mine', 'theirs'])
})

test('a statement that fails undoes itself alone', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('BEGIN')
  const before = await one.rows('SELECT CURRENT_TRANSACTION() AS ID')
  await one.query("INSERT INTO T VALUES ('kept', 1)")
  await refused('100038', one.query("INSERT INTO T SELECT NAME, N::VARCHAR || 'x' FROM T"))
  await refused('100072', one.query('INSERT INTO T VALUES (NULL, 1)'))
  assert.deepEqual(await one.rows('SELECT CURRENT_TRANSACTION() AS ID'), before)
  await one.query("INSERT INTO T VALUES ('too', 2)")
  await one.query('COMMIT')
  assert.deepEqual(await names(other), ['kept', 'too'])
})

test('UPDATE, DELETE and MERGE lock their table until the transaction ends', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query("INSERT INTO T VALUES ('a', 1)")
  const merge = 'MERGE INTO T USING (SELECT 1 AS K) AS S ON T.N = S.K WHEN MATCHED THEN UPDATE SET N = 1'
  for (const statement of ['UPDATE T SET N = 1', 'DELETE FROM T WHERE N = 2 OR N = 1', merge]) {
    await one.query('BEGIN')
    await one.query(statement)
    let isDone = false
    const waiting = other.query("UPDATE T SET NAME = 'b'").then(() => (isDone = true))
    await untilLocks(one, 'WAITING')
    assert.equal(isDone, false, statement)
    await one.query('ROLLBACK')
    await waiting
  }
  assert.deepEqual(await names(one), ['b'])
})

test('INSERT takes no lock and waits for none', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await one.query('BEGIN')
  await one.query("UPDATE T SET N = 2 WHERE NAME = 'a'")
  await other.query("INSERT INTO T VALUES ('b', 1)")
  await other.query('BEGIN')
  await other.query("INSERT INTO T VALUES ('c', 1)")
  await one.query("UPDATE T SET N = 3 WHERE NAME = 'a'")
  await one.query('COMMIT')
  await other.query('COMMIT')
  assert.deepEqual(await one.rows('SELECT NAME, N FROM T ORDER BY NAME'), [
    { NAME: 'a', N: '3' },
    { NAME: 'b', N: '1' },
    { NAME: 'c', N: '1' }
  ])
})

test(
  'a statement that waits longer than LOCK_TIMEOUT is refused, and its transaction stays open',
  needed,
  async context => {
    const [one, other] = await sessions(context)
    await one.query("INSERT INTO T VALUES ('a', 1)")
    await one.query('BEGIN')
    await one.query('UPDATE T SET N = 2')
    await other.query('ALTER SESSION SET LOCK_TIMEOUT = 0')
    await other.query('BEGIN')
    await other.query("INSERT INTO T VALUES ('b', 1)")
    const refusal = await refused('000625', other.query('UPDATE T SET N = 3'))
    assert.equal(refusal.sqlState, '57014')
    assert.match(refusal.message, /has locked table 'T' in transaction \d+ and this lock has not yet been released/)
    await one.query('COMMIT')
    await other.query('COMMIT')
    assert.deepEqual(await names(one), ['a', 'b'])
  }
)

test('what waited for a lock sees what the one before it has committed', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query("INSERT INTO T VALUES ('ledger', 0)")
  const add = async (session: SnowflakeClient) => {
    for (let round = 0; round < 10; round++) {
      await session.query('BEGIN')
      await session.query("UPDATE T SET N = N + 1 WHERE NAME = 'ledger'")
      await session.query('COMMIT')
    }
  }
  await Promise.all([add(one), add(other)])
  assert.deepEqual(await one.rows('SELECT N FROM T'), [{ N: '20' }])
})

test('at most 20 statements wait for one lock', needed, async context => {
  const [one, ...others] = await sessions(context, 22)
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await one.query('BEGIN')
  await one.query('UPDATE T SET N = 2')
  const outcomes = others.map(each => each.query('UPDATE T SET N = 3').then(() => 'done', codeOf))
  assert.equal(await Promise.race(outcomes), '000625')
  await one.query('COMMIT')
  assert.equal((await Promise.all(outcomes)).filter(outcome => outcome === 'done').length, 20)
})

test('a definition commits the open transaction', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('BEGIN')
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await one.query('CREATE TABLE U (X NUMBER)')
  await one.query('ROLLBACK')
  assert.deepEqual(await names(other), ['a'])
})

test('what others define is there at once, also within a transaction', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('BEGIN')
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await other.query('CREATE TABLE U AS SELECT 5 AS X')
  await other.query('ALTER TABLE T ADD COLUMN M VARCHAR')
  assert.deepEqual(await one.rows('SELECT X FROM U'), [{ X: '5' }])
  await one.query("INSERT INTO T VALUES ('b', 2, 'm')")
  await one.query('COMMIT')
  assert.deepEqual(await other.rows('SELECT NAME, M FROM T ORDER BY NAME'), [
    { NAME: 'a', M: null },
    { NAME: 'b', M: 'm' }
  ])
})

test('without AUTOCOMMIT a change begins a transaction', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('ALTER SESSION SET AUTOCOMMIT = FALSE')
  await one.query("INSERT INTO T VALUES ('a', 1)")
  assert.deepEqual(await names(other), [])
  await one.query('ROLLBACK')
  await one.query("INSERT INTO T VALUES ('b', 1)")
  await one.query('ALTER SESSION SET AUTOCOMMIT = TRUE')
  await one.query("INSERT INTO T VALUES ('c', 1)")
  assert.deepEqual(await names(other), ['b', 'c'])
})

test('a session that is closed rolls back and frees its locks', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await one.query('BEGIN')
  await one.query("UPDATE T SET NAME = 'b'")
  await one.close()
  await other.query('UPDATE T SET N = 5')
  assert.deepEqual(await names(other), ['a'])
})

test('CREATE TABLE IF NOT EXISTS by many at once makes one table', needed, async context => {
  const all = await sessions(context, 6)
  const create = 'CREATE TABLE IF NOT EXISTS LEDGER AS SELECT 0::NUMBER(38,0) AS NEXT'
  await Promise.all(all.map(session => session.query(create)))
  assert.deepEqual(await all[0].rows('SELECT COUNT(*) AS N FROM LEDGER'), [{ N: '1' }])
})

test('an aborted transaction is gone for its session, which is not told', needed, async context => {
  const [one, other] = await sessions(context)
  await one.query('BEGIN')
  await one.query("INSERT INTO T VALUES ('a', 1)")
  const [{ ID } = { ID: null }] = await one.rows('SELECT CURRENT_TRANSACTION() AS ID')
  await other.query(`SELECT SYSTEM$ABORT_TRANSACTION(${ID})`)
  assert.deepEqual(await one.rows('SELECT CURRENT_TRANSACTION() AS ID'), [{ ID: null }])
  await one.query('COMMIT')
  assert.deepEqual(await names(other), [])
})

test('a transaction that nobody continues loses its locks to one that waits', needed, async context => {
  const server = await startSnowflake({ idleSeconds: 0.2 })
  context.after(server.stop)
  const [one, other] = await sessions(context, 2, server)
  await one.query("INSERT INTO T VALUES ('a', 1)")
  await one.query('BEGIN')
  await one.query("UPDATE T SET NAME = 'b'")
  await other.query('UPDATE T SET N = 7')
  assert.deepEqual(await other.rows('SELECT NAME, N FROM T'), [{ NAME: 'a', N: '7' }])
})

test('what is committed survives a kill, what is open does not', needed, async context => {
  const server = await startSnowflake()
  context.after(server.stop)
  const [one, other] = await sessions(context, 2, server)
  await one.query("INSERT INTO T VALUES ('committed', 1)")
  await other.query('BEGIN')
  await other.query("INSERT INTO T VALUES ('open', 1)")
  await server.kill()
  await server.restart()
  await refused('390111', one.query('SELECT 1'))
  const again = await server.connect({ schema: 'S' })
  assert.deepEqual(await names(again), ['committed'])
})

type Sessions = [SnowflakeClient, SnowflakeClient, ...SnowflakeClient[]]

/** Sessions in a new schema, with an empty table T. */
async function sessions(context: TestContext, count = 2, server?: Snowflake): Promise<Sessions> {
  const snowflake = server ?? (await sharedSnowflake())
  const schema = server === undefined ? `T${randomUUID().replaceAll('-', '').toUpperCase()}` : 'S'
  const first = await snowflake.connect()
  await first.query(`CREATE SCHEMA ${schema}`)
  await first.query('CREATE TABLE T (NAME VARCHAR NOT NULL, N NUMBER(38,0))')
  const more = await Promise.all(Array.from({ length: count - 1 }, () => snowflake.connect({ schema })))
  context.after(async () => {
    for (const session of [first, ...more]) await session.close().catch(() => undefined)
  })
  return [first, ...more] as Sessions
}

const names = async (session: SnowflakeClient) =>
  (await session.rows('SELECT NAME FROM T ORDER BY NAME')).map(row => row['NAME'])

const codeOf = (error: unknown) => (error instanceof SnowflakeRefusal ? error.code : String(error))

async function refused(code: string, running: Promise<unknown>): Promise<SnowflakeRefusal> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  assert.ok(error instanceof SnowflakeRefusal, `refused: ${String(error)}`)
  assert.equal(error.code, code, error.message)
  return error
}

async function untilLocks(session: SnowflakeClient, status: string): Promise<void> {
  while (!(await session.rows('SHOW LOCKS')).some(row => row['status'] === status)) {
    await new Promise(resolve => setTimeout(resolve, WAIT_MS))
  }
}
