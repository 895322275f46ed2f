import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSnowflakeSink, type SnowflakeSinkOptions } from '../../../../consumer/sinks/snowflake/sink.ts'
import type { SnowflakeSession, StatementResult } from '../../../../consumer/sinks/snowflake/session/session.ts'
import type { CommitOutcome } from '../../../../consumer/sink.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { Gate } from '../../../../lib/gate.ts'
import { jsonLog } from '../../../../lib/log.ts'
import { batchOf, plannedTable, type PartOptions } from '../../../conformance/batches.ts'
import { hastyClock } from '../../../fakes/delta-harness.ts'
import type { Fault, Operation } from '../../../fakes/faulty-store.ts'
import { FakeAccount } from '../../../fakes/snowflake-account.ts'
import { FaultySession } from '../../../fakes/snowflake-faulty-session.ts'

const SNOWFLAKE = (more: object = {}) =>
  JSON.stringify({
    snowflake: { account: 'acme-lake', database: 'LAKE', warehouse: 'W', credentialsSecretRef: { name: 's' }, ...more }
  })

function setUp(more: object = {}, options: Partial<SnowflakeSinkOptions> = {}) {
  const { pipeline, plan } = plannedTable(SNOWFLAKE(more))
  assert.ok(pipeline.sink.kind === 'snowflake')
  const account = new FakeAccount()
  const lines: string[] = []
  let fault: (operation: Operation) => Fault | undefined = () => undefined
  const sink = openSnowflakeSink({
    plan,
    pipeline,
    snowflake: pipeline.sink.snowflake,
    open: async () => new FaultySession(account.session(), operation => fault(operation), []),
    clock: hastyClock,
    log: jsonLog(line => lines.push(line), 'debug', Date.now),
    uploads: new Gate(2),
    author: { pipeline: 'test/sink', createdAt: undefined, consumerId: 'one' },
    limits: { commitAttempts: 6 },
    ...options
  })
  return {
    account,
    lines,
    sink,
    onOperation: (next: typeof fault) => {
      fault = next
    },
    commit: async (part: PartOptions): Promise<CommitOutcome> => {
      const staged = await sink.stage(batchOf(plan, [part]))
      account.ran.length = 0
      return await sink.commit([staged])
    }
  }
}

const FIRST: PartOptions = { from: 0, to: 3, expected: undefined }

/** The statements of a commit by a session that is open. */
const SEQUENCE = [
  'BEGIN NAME',
  'SELECT CURRENT_TRANSACTION',
  'INSERT INTO rows',
  'INSERT INTO commits',
  'UPDATE ledger',
  'MERGE INTO ledger',
  'SELECT CURRENT_TRANSACTION',
  'COMMIT'
]

test('a commit is one transaction: rows, what history tells, the offsets last', async () => {
  const { account, commit } = setUp()
  await commit(FIRST)
  assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
  const short = account.ran.map(each => each.split(' ')[0])
  assert.deepEqual(
    short,
    SEQUENCE.map(each => each.split(' ')[0])
  )
  assert.equal(account.rows.length, 5)
  assert.equal(account.open.size, 0)
})

for (const kind of ['before', 'after'] as const) {
  for (const [index, name] of SEQUENCE.entries()) {
    test(`statement ${index + 1} (${name}) fails ${kind} its effect once: the commit is made once`, async () => {
      const { account, commit, onOperation } = setUp()
      await commit(FIRST)
      let left = index
      onOperation(operation => (operation.kind === 'statement' && left-- === 0 ? kind : undefined))
      assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
      assert.equal(account.rows.length, 5)
      assert.equal(account.commits.length, 2)
      assert.deepEqual(
        [...account.ledger.values()].map(({ next }) => next),
        [5]
      )
      assert.equal(account.open.size, 0, 'no transaction is left open')
    })

    test(`the process ends at statement ${index + 1} (${name}) ${kind} its effect: all of the commit is in, or nothing`, async () => {
      const { account, commit, onOperation } = setUp()
      await commit(FIRST)
      let left = index
      onOperation(() => (left-- > 0 ? undefined : left === -1 ? kind : 'before'))
      await assert.rejects(commit({ from: 3, to: 5 }), RetryableError)
      const isIn = name === 'COMMIT' && kind === 'after'
      assert.equal(account.rows.length, isIn ? 5 : 3)
      assert.deepEqual(
        [...account.ledger.values()].map(({ next }) => next),
        [isIn ? 5 : 3]
      )
    })
  }
}

test('a lost COMMIT is found by its id also when others have gone on from there', async () => {
  const { account, commit, onOperation } = setUp()
  await commit(FIRST)
  let isLost = false
  onOperation(({ path }) => {
    if (path === 'COMMIT' && !isLost) {
      isLost = true
      return 'after'
    }
    const [key, held] = [...account.ledger][0] ?? []
    if (key !== undefined && held !== undefined && held.next === 5)
      account.ledger.set(key, { ...held, next: 9, commitId: 'theirs' })
    return undefined
  })
  assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
  assert.equal(account.rows.length, 5)
})

test('a transaction that is left open with a session that cannot be told is aborted by the next one', async () => {
  const { account, commit, onOperation } = setUp()
  await commit(FIRST)
  let isLost = false
  onOperation(({ kind, path }) => {
    if (kind === 'close') return 'before'
    if (path !== 'COMMIT' || isLost) return undefined
    isLost = true
    return 'before'
  })
  assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
  assert.equal(account.open.size, 0)
  assert.equal(account.rows.length, 5)
})

test('that locks may not be listed and transactions not be aborted stops nobody', async () => {
  const account = new FakeAccount()
  const { commit } = setUp(
    {},
    {
      open: async () =>
        watched(account.session(), text => {
          if (/^SHOW LOCKS|SYSTEM\$ABORT/.test(text)) throw new FatalError('SnowflakeNotAuthorized', 'you may not')
          return undefined
        })
    }
  )
  await commit(FIRST)
  const other = account.session()
  await other.run({ text: 'BEGIN' })
  await other.run({ text: 'UPDATE "LAKE"."BRONZE"."ORDERS_BRONZE_OFFSETS" SET …' })
  await assert.rejects(commit({ from: 3, to: 5 }), { code: 'LockTimeout' })
})

test('a statement that is refused is followed by ROLLBACK in the same session', async () => {
  const { account, commit } = setUp()
  await commit(FIRST)
  const other = account.session()
  await other.run({ text: 'BEGIN' })
  await other.run({ text: 'UPDATE "LAKE"."BRONZE"."ORDERS_BRONZE_OFFSETS" SET …' })
  await assert.rejects(commit({ from: 3, to: 5 }), { code: 'LockTimeout' })
  const updates = account.ran.flatMap((each, index) => (each.startsWith('UPDATE') ? [account.ran[index + 1]] : []))
  assert.ok(updates.length > 0 && updates.every(each => each === 'ROLLBACK'), account.ran.join('\n'))
  assert.equal(account.rows.length, 3)
  await other.close()
  assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
})

test('offsets that are not where they were left fence the commit, which is rolled back', async () => {
  const { account, commit } = setUp()
  await commit(FIRST)
  const outcome = await commit({ from: 2, to: 5 })
  assert.ok(outcome.status === 'fenced')
  assert.deepEqual(outcome.partitions, ['orders-0'])
  assert.equal(outcome.by?.consumerId, 'other')
  assert.equal(account.ran.at(-1), 'ROLLBACK')
  assert.equal(account.rows.length, 3)
})

test('a transaction that somebody aborts half way is noticed: its rest is not committed', async () => {
  const { account, commit, onOperation } = setUp()
  await commit(FIRST)
  let isAborted = false
  onOperation(({ path }) => {
    if (path.startsWith('UPDATE') && !isAborted) {
      isAborted = true
      for (const { id } of account.open) account.abort(id)
    }
    return undefined
  })
  assert.equal((await commit({ from: 3, to: 5 })).status, 'committed')
  assert.equal(account.ran.filter(each => each === 'COMMIT').length, 1)
  assert.equal(account.rows.length, 5)
})

test('no row and no bind is in a log, whatever fails', async () => {
  const { lines, commit, onOperation } = setUp()
  await commit(FIRST)
  for (let index = 0; index < SEQUENCE.length; index++) {
    let left = index
    onOperation(operation => (operation.kind === 'statement' && left-- === 0 ? 'before' : undefined))
    await commit({ from: 3 + index, to: 4 + index })
  }
  assert.ok(lines.length >= SEQUENCE.length)
  for (const line of lines) assert.ok(!/\\"id\\"|"id":|PARSE_JSON/.test(line), line)
})

test('while the warehouse is suspended a commit waits, until it runs, until the time is over, or until we stop', async () => {
  for (const ending of ['runs', 'late', 'hurry'] as const) {
    let nowMs = 0
    let looks = 0
    let commits = 0
    const account = new FakeAccount()
    const { sink, commit } = setUp(
      { flushWhenWarehouseIdle: false, maxIdleDelay: '1m' },
      {
        clock: {
          ...hastyClock,
          now: () => nowMs,
          sleep: async ms => {
            nowMs += ms
            if (ending === 'hurry') sink.hurry?.()
          }
        },
        open: async () =>
          watched(account.session(), text => {
            if (text === 'COMMIT') commits++
            if (!text.startsWith('SHOW WAREHOUSES')) return undefined
            looks++
            const state = ending === 'runs' && looks > 3 ? 'STARTED' : 'SUSPENDED'
            return { rows: [{ name: 'W', state }], affected: undefined }
          })
      }
    )
    // What pins the beginning does not wait.
    await commit({ from: 0, to: 0, expected: undefined, empty: true })
    assert.deepEqual([looks, commits], [0, 1])
    await commit({ from: 0, to: 3 })
    assert.equal(commits, 2)
    assert.equal(nowMs, { runs: 30_000, late: 60_000, hurry: 10_000 }[ending], ending)
  }
})

function watched(session: SnowflakeSession, answer: (text: string) => StatementResult | undefined): SnowflakeSession {
  return {
    run: async statement => answer(statement.text) ?? (await session.run(statement)),
    put: async (stage, file) => await session.put(stage, file),
    close: async () => await session.close()
  }
}
