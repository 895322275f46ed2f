import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { adopted } from '../../../consumer/sinks/snowflake/sql/adopt.ts'
import { initStatements } from '../../../consumer/sinks/snowflake/sql/init.ts'
import { addSentinel } from '../../../consumer/sinks/snowflake/sql/ledger-table.ts'
import {
  foundObjects,
  lookForColumns,
  lookForSchema,
  lookForStage,
  type FoundObjects
} from '../../../consumer/sinks/snowflake/sql/look.ts'
import { setParameters } from '../../../consumer/sinks/snowflake/sql/session-parameters.ts'
import type { Statement } from '../../../consumer/sinks/snowflake/session/session.ts'
import {
  batchSource,
  copiedRows,
  copyBatch,
  createBatch,
  inlineSource,
  type Kind,
  type Source
} from '../../../consumer/sinks/snowflake/sql/source.ts'
import type { SnowflakeTable } from '../../../consumer/sinks/snowflake/sql/table.ts'
import { shop, sinkOf, tableOf } from '../../consumer/sinks/snowflake/sql/tables.ts'
import { need } from '../../servers/need.ts'
import type { SnowflakeClient } from '../../servers/snowflake-client.ts'
import { sharedSnowflake, type Snowflake } from '../../servers/snowflake.ts'

const needed = need('snowflake')
let snowflake: Snowflake
before(async () => {
  if (needed.skip === undefined) snowflake = await sharedSnowflake()
})

const sessions: SnowflakeClient[] = []
after(async () => await Promise.all(sessions.map(async session => await session.close())))

/** A session as consumers have them, but for AUTOCOMMIT; closed after the tests. */
export async function connect(): Promise<SnowflakeClient> {
  const session = await snowflake.connect()
  sessions.push(session)
  await run(session, setParameters())
  return session
}

/** One statement as it is. */
export const run = async (session: SnowflakeClient, { text, binds = [] }: Statement) =>
  await session.query(text, ...binds)

/** Rows that a DML inserted, updated or deleted. */
export const affected = async (session: SnowflakeClient, statement: Statement): Promise<number> => {
  const [row = {}] = (await run(session, statement)).rows
  return Object.values(row).reduce((sum, value) => sum + Number(value), 0)
}

/** The table of a spec in a schema of its own. */
export function plan(spec: string, sink = ''): SnowflakeTable {
  const pipeline = shop(spec.replaceAll('SCHEMA', `T_${randomUUID().slice(0, 8)}`), sink)
  const settings = { ...sinkOf(pipeline), database: snowflake.database }
  return tableOf({ ...pipeline, sink: { kind: 'snowflake', snowflake: settings } })
}

async function look(session: SnowflakeClient, { objects }: SnowflakeTable): Promise<FoundObjects> {
  const rows = async (statement: Statement) => (await run(session, statement)).rows
  const schema = await rows(lookForSchema(objects))
  const columns = await rows(lookForColumns(objects))
  return foundObjects(objects, { schema, columns, stage: schema.length > 0 ? await rows(lookForStage(objects)) : [] })
}

/** Makes what is missing; gives the table as it is then. */
export async function open(session: SnowflakeClient, table: SnowflakeTable): Promise<SnowflakeTable> {
  for (const statement of initStatements(table, await look(session, table))) await run(session, statement)
  await run(session, addSentinel(table.objects))
  const found = await look(session, table)
  assert.deepEqual(initStatements(table, found), [], 'nothing is missing then')
  return adopted(table, found)
}

/** Rows as NDJSON. */
export const lines = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('')

/** So many rows of NDJSON by either road: bound, or through a file of the stage. */
export async function sourceOf(
  session: SnowflakeClient,
  table: SnowflakeTable,
  kind: Kind,
  text: string,
  road: 'inline' | 'stage'
): Promise<Source> {
  if (road === 'inline') return inlineSource(table, kind, [text])
  const name = `${randomUUID()}.ndjson.zst`
  await session.put(table.objects.stageRef, name, zstdCompressSync(text))
  await run(session, createBatch(table, kind))
  const copied = copiedRows((await run(session, copyBatch(table, kind, [name]))).rows)
  assert.equal(copied, text.trimEnd().split('\n').length)
  return batchSource(table, kind)
}

/** A table of typed columns beside the whole value. */
export const JSON_ORDERS = `topics:
- name: orders
  table: SCHEMA.orders
  format: Json
  columns:
  - {name: id, value: /id, type: Long}
  - {name: price, value: /price, type: Decimal, precision: 38, scale: 2}
  - {name: ratio, value: /ratio, type: Double}
  - {name: paid, value: /paid, type: Boolean}
  - {name: day, value: /day, type: Date}`

/** A line of NDJSON as a row group of JSON_ORDERS gives it. */
export const order = (offset: number, value: string | null, more: object = {}) => ({
  _kafka_topic: 'orders',
  _kafka_partition: 0,
  _kafka_offset: offset,
  _kafka_timestamp: '2026-11-21T09:59:59.000000Z',
  _kafka_key: Buffer.from('k').toString('base64'),
  _kafka_headers: [{ key: 'source', value: 'shop' }],
  _ingested_at: '2026-11-21T10:00:00.123000Z',
  _ingestion_date: '2026-11-21',
  _ingestion_id: `orders-0-${offset}`,
  _consumer_id: 'c-0',
  value,
  id: null,
  price: null,
  ratio: null,
  paid: null,
  day: null,
  ...more
})
