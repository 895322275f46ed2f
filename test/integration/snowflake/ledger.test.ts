import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKeys, readTopics } from '../../../consumer/sinks/snowflake/sql/ledger-table.ts'
import { keysOf, lockLedger, moveLedger } from '../../../consumer/sinks/snowflake/sql/ledger.ts'
import { insertRows } from '../../../consumer/sinks/snowflake/sql/publish.ts'
import { begin, COMMIT, ROLLBACK } from '../../../consumer/sinks/snowflake/sql/session-parameters.ts'
import { inlineSource } from '../../../consumer/sinks/snowflake/sql/source.ts'
import { mergeRanges } from '../../../consumer/sinks/offset-key.ts'
import { AUTHOR, NOW_MS, range } from '../../consumer/sinks/snowflake/sql/tables.ts'
import { need } from '../../servers/need.ts'
import type { SnowflakeClient } from '../../servers/snowflake-client.ts'
import { affected, connect, lines, open, order, plan, run } from './statements.ts'

const needed = need('snowflake')

test('mode Merge leaves out what is there already', needed, async () => {
  const session = await connect()
  const table = await open(
    session,
    plan(
      'topics: [{name: orders, table: SCHEMA.orders, format: Json}]',
      ', mode: Merge, clusterBy: [_kafka_partition, _kafka_offset]'
    )
  )
  const ranges = [{ ...range(0, 0, 3), topic: 'orders' }]
  const merge = async (rows: readonly object[]) =>
    await affected(session, insertRows(table, inlineSource(table, 'rows', [lines(rows)]), ranges))
  assert.equal(await merge([order(0, '{}'), order(1, '{}')]), 2)
  assert.equal(await merge([order(0, '{}'), order(1, '{}'), order(2, '{}')]), 1)
  assert.equal(await merge([order(2, "{'")]), 0)
})

test('offsets move only from where they are expected, and a key is made once', needed, async () => {
  const [one, two] = [await connect(), await connect()]
  const { objects } = await open(one, plan('topics: [{name: orders, table: SCHEMA.orders}]'))
  const move = (commitId: string) => ({ commitId, author: AUTHOR, committedAtMs: NOW_MS })
  const commit = async (session: SnowflakeClient, id: string, ranges: Parameters<typeof mergeRanges>[0]) => {
    const merged = mergeRanges(ranges)
    await run(session, begin('BRONZE_TEST'))
    assert.equal(await affected(session, lockLedger(objects, move(id))), 1)
    const moved = await affected(session, moveLedger(objects, merged, move(id)))
    await run(session, moved === merged.size ? COMMIT : ROLLBACK)
    return moved
  }
  assert.equal(await commit(one, 'c-1', [range(0, undefined, 5), range(1, undefined, 0)]), 2)
  assert.equal(await commit(two, 'c-2', [range(0, undefined, 5)]), 0)
  assert.equal(await commit(two, 'c-3', [range(0, 4, 9)]), 0)
  assert.equal(await commit(two, 'c-4', [range(0, 5, 9), range(1, 1, 2)]), 1)
  assert.equal(await commit(two, 'c-5', [range(0, 5, 9)]), 1)
  const { rows } = await run(one, readTopics(objects, ['raw.orders.v1']))
  assert.deepEqual(
    rows
      .map(row => [row['PARTITION_ID'], row['NEXT_OFFSET'], row['COMMIT_ID'], row['COMMITTED_MS']])
      .toSorted(([a], [b]) => Number(a) - Number(b)),
    [
      ['0', '9', 'c-5', String(NOW_MS)],
      ['1', '0', 'c-1', String(NOW_MS)]
    ]
  )
  assert.equal((await run(one, readKeys(objects, keysOf(mergeRanges([range(1, 0, 1)]))))).rows.length, 1)
})

test('a commit waits for the one that holds the lock, and sees what it did', needed, async () => {
  const [one, two] = [await connect(), await connect()]
  const { objects } = await open(one, plan('topics: [{name: orders, table: SCHEMA.orders}]'))
  const merged = mergeRanges([range(0, undefined, 5)])
  const move = { commitId: 'c-1', author: AUTHOR, committedAtMs: NOW_MS }
  await run(one, begin('BRONZE_TEST'))
  await run(one, lockLedger(objects, move))
  await run(two, begin('BRONZE_TEST'))
  const waiting = affected(two, lockLedger(objects, move))
  assert.equal(await affected(one, moveLedger(objects, merged, move)), 1)
  await run(one, COMMIT)
  assert.equal(await waiting, 1)
  assert.equal(await affected(two, moveLedger(objects, merged, { ...move, commitId: 'c-2' })), 0)
  await run(two, ROLLBACK)
})
