import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSnowflakeSink } from '../../../../consumer/sinks/snowflake/sink.ts'
import { StatementError } from '../../../../consumer/sinks/snowflake/session/errors.ts'
import type { SnowflakeSession, Statement } from '../../../../consumer/sinks/snowflake/session/session.ts'
import { RetryableError, errorText } from '../../../../lib/errors.ts'
import { Gate } from '../../../../lib/gate.ts'
import { jsonLog } from '../../../../lib/log.ts'
import { batchOf, plannedTable, type PartOptions } from '../../../conformance/batches.ts'
import { hastyClock } from '../../../fakes/delta-harness.ts'
import { FakeAccount } from '../../../fakes/snowflake-account.ts'

interface Line {
  readonly _kafka_partition: number
  readonly _kafka_offset: number
}

const keyOf = (line: Line) => `${line._kafka_partition}-${line._kafka_offset}`

interface Trouble {
  /** Partition and offset of rows that make a statement fail. */
  readonly bad: readonly string[]
  readonly policy?: string
  /** Whether statements fail whatever rows they take. */
  readonly isOfEveryRow?: boolean
  /** How often the first INSERT fails, with nothing wrong with any row. */
  readonly times?: number
}

function setUp({ bad, policy = 'Table', isOfEveryRow = false, times = 0 }: Trouble) {
  const { pipeline, plan } = plannedTable(
    JSON.stringify({
      snowflake: { account: 'acme-lake', database: 'LAKE', warehouse: 'W', credentialsSecretRef: { name: 's' } }
    })
  )
  assert.ok(pipeline.sink.kind === 'snowflake')
  const account = new FakeAccount()
  const letters: string[] = []
  const lines: string[] = []
  let left = times
  const refuse = () => {
    throw new StatementError('Data', 'SnowflakeRefused', 'Numeric value … is not recognized (100038)')
  }
  const run = async (session: SnowflakeSession, statement: Statement) => {
    const { text, binds = [] } = statement
    const rows = JSON.parse(String(binds.findLast(each => String(each).startsWith('[')) ?? '[]')) as Line[]
    const refused = rows.filter(row => isExcepted(text, row))
    if (text.startsWith('SELECT B.') && text.includes('FIRST_OFFSET'))
      return { rows: bounds(rows), affected: undefined }
    if (text.includes('AS REFUSED')) {
      const row = { TOPIC: 'orders', PARTITION_ID: '0', REFUSED: String(refused.length) }
      return { rows: refused.length === 0 ? [] : [row], affected: undefined }
    }
    if (text.includes('AS RECORD_OFFSET')) {
      const [{ _kafka_offset: offset } = { _kafka_offset: -1 }] = refused
      const row = { TOPIC: 'orders', PARTITION_ID: '0', RECORD_OFFSET: String(offset), REASON: 'Numeric value …' }
      return { rows: [row], affected: undefined }
    }
    if (text.startsWith('INSERT INTO "LAKE"."BRONZE"."DLQ_ORDERS"')) {
      letters.push(...refused.map(keyOf))
      return { rows: [], affected: refused.length }
    }
    if (!text.startsWith('INSERT INTO "LAKE"."BRONZE"."ORDERS" ')) return await session.run(statement)
    const taken = rows.filter(row => isChosen(text, row) && !isExcepted(text, row))
    if (left-- > 0 || isOfEveryRow || taken.some(row => bad.includes(keyOf(row)))) refuse()
    return await session.run({ text, binds: [JSON.stringify(taken)] })
  }
  const open = async (): Promise<SnowflakeSession> => {
    const session = account.session()
    return {
      run: async statement => await run(session, statement),
      put: async (stage, file) => await session.put(stage, file),
      close: async () => await session.close()
    }
  }
  const sink = openSnowflakeSink({
    plan,
    pipeline: { ...pipeline, deadLetters: { ...pipeline.deadLetters, policy: policy as 'Table' } },
    snowflake: pipeline.sink.snowflake,
    open,
    clock: hastyClock,
    log: jsonLog(line => lines.push(line), 'debug', Date.now),
    author: { pipeline: 'test/sink', createdAt: undefined, consumerId: 'one' },
    uploads: new Gate(1),
    limits: { commitAttempts: 2 }
  })
  const commit = async (...parts: readonly PartOptions[]) => await sink.commit([await sink.stage(batchOf(plan, parts))])
  return { account, letters, lines, commit }
}

/** Whether the statement's slice has the row; true without a slice. */
function isChosen(text: string, { _kafka_partition: partition, _kafka_offset: offset }: Line): boolean {
  const where = text.slice(text.lastIndexOf('\nWHERE '))
  const one = /PARTITION" = (-?\d+) AND B\."_KAFKA_OFFSET" BETWEEN (-?\d+) AND (-?\d+)/.exec(where)
  if (one !== null) return partition === Number(one[1]) && offset >= Number(one[2]) && offset <= Number(one[3])
  const many = /PARTITION" >= (\d+).*PARTITION" <= (\d+)/.exec(where)
  return many === null || (partition >= Number(many[1]) && partition <= Number(many[2]))
}

/** Whether the statement names the row as one that is refused. */
const isExcepted = (text: string, { _kafka_partition: partition, _kafka_offset: offset }: Line): boolean =>
  new RegExp(`PARTITION" = ${partition} AND B\\."_KAFKA_OFFSET" = ${offset}\\b`).test(text)

function bounds(rows: readonly Line[]) {
  const partitions = [...new Set(rows.map(row => row._kafka_partition))]
  return partitions.map(partition => {
    const offsets = rows.filter(row => row._kafka_partition === partition).map(row => row._kafka_offset)
    const range = { FIRST_OFFSET: String(Math.min(...offsets)), LAST_OFFSET: String(Math.max(...offsets)) }
    return { TOPIC: 'orders', PARTITION_ID: String(partition), ...range }
  })
}

test('rows that make an INSERT fail are found, and are dead letters of the same commit', async () => {
  const { account, commit, letters, lines } = setUp({ bad: ['0-3', '0-61', '0-99'] })
  const outcome = await commit({ from: 0, to: 100, expected: undefined })
  assert.equal(outcome.status, 'committed')
  assert.equal(account.rows.length, 97)
  assert.deepEqual(letters, ['0-3', '0-61', '0-99'])
  assert.deepEqual(
    account.commits.map(each => [Reflect.get(each, 'records'), Reflect.get(each, 'deadLetters')]),
    [[97, 3]]
  )
  assert.equal(account.open.size, 0, 'no transaction is left open')
  assert.ok(lines.some(line => line.includes('"rows":3')))
})

test('they are found among many partitions', async () => {
  const { account, commit, letters } = setUp({ bad: ['4-7'] })
  const parts = Array.from({ length: 7 }, (_, partition) => ({ partition, from: 0, to: 10, expected: undefined }))
  assert.equal((await commit(...parts)).status, 'committed')
  assert.equal(account.rows.length, 69)
  assert.deepEqual(letters, ['4-7'])
})

for (const policy of ['Topic', 'Stop', 'Inline']) {
  test(`policy ${policy} stops at such a row and names it; nothing is in`, async () => {
    const { account, commit } = setUp({ bad: ['0-2'], policy })
    await assert.rejects(commit({ from: 0, to: 5, expected: undefined }), {
      reason: 'RefusedBySnowflake',
      message: /orders-0-2: Numeric value/
    })
    assert.equal(account.rows.length, 0)
    assert.equal(account.open.size, 0)
  })
}

test('more than 16 such rows are no matter of records: nothing is in, and the commit may be tried again', async () => {
  const bad = Array.from({ length: 17 }, (_, index) => `0-${index * 5}`)
  const { account, commit, letters } = setUp({ bad })
  await assert.rejects(commit({ from: 0, to: 100, expected: undefined }), error => {
    assert.ok(error instanceof RetryableError)
    assert.match(errorText(error), /more than 16 rows/)
    return true
  })
  assert.deepEqual([account.rows, letters], [[], []])
  assert.equal(account.open.size, 0)
})

test('a statement that fails without rows too is no matter of records', async () => {
  const { account, commit, letters } = setUp({ bad: [], isOfEveryRow: true })
  await assert.rejects(commit({ from: 0, to: 4, expected: undefined }), { code: 'SnowflakeRefused' })
  assert.deepEqual([account.rows, letters], [[], []])
})

test('trouble that has passed when rows are looked for makes no dead letter', async () => {
  const { account, commit, letters } = setUp({ bad: [], times: 1 })
  assert.equal((await commit({ from: 0, to: 4, expected: undefined })).status, 'committed')
  assert.equal(account.rows.length, 4)
  assert.deepEqual(letters, [])
})
