import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitRows, historyEntries } from '../../../../../consumer/sinks/snowflake/sql/commits.ts'
import { costOf, isWarehouseRunning } from '../../../../../consumer/sinks/snowflake/sql/cost.ts'
import { fencedBy, ledgerRows } from '../../../../../consumer/sinks/snowflake/sql/ledger.ts'
import { refusedCounts, refusedError } from '../../../../../consumer/sinks/snowflake/sql/refused.ts'
import { copiedRows } from '../../../../../consumer/sinks/snowflake/sql/source.ts'
import { orphans, removeFile } from '../../../../../consumer/sinks/snowflake/sql/stage.ts'
import { mergeRanges, newestOffsets } from '../../../../../consumer/sinks/offset-key.ts'
import { example, range, tableOf } from './tables.ts'

const held = (partition: number, next: number, more: Record<string, string | null> = {}) => ({
  TOPIC: 'raw.orders.v1',
  TOPIC_ID: 'b7Kz0Q3mT7Kx1uH5oE9pLw',
  PARTITION_ID: String(partition),
  EPOCH: '0',
  NEXT_OFFSET: String(next),
  COMMIT_ID: 'c-6',
  COMMITTED_MS: '1795255205123',
  PIPELINE: 'lake/other',
  PIPELINE_CREATED_AT: null,
  CONSUMER_ID: 'other-0',
  ...more
})
const merged = mergeRanges([range(0, 100, 103), range(1, undefined, 2)])

test('keys that another commit moved are fenced, by its author', () => {
  assert.deepEqual(fencedBy([held(0, 107), held(1, 2, { COMMIT_ID: 'c-7' })], merged, 'c-7'), {
    partitions: ['raw.orders.v1-0'],
    by: { pipeline: 'lake/other', createdAt: undefined, consumerId: 'other-0' }
  })
})

test('a key that is expected and gone is fenced by nobody', () => {
  const rows = [held(1, 2, { COMMIT_ID: 'c-7' })]
  assert.deepEqual(fencedBy(rows, merged, 'c-7'), { partitions: ['raw.orders.v1-0'], by: undefined })
})

test('a commit whose every key an earlier attempt of it moved is in', () => {
  const rows = [held(0, 103, { COMMIT_ID: 'c-7' }), held(1, 2, { COMMIT_ID: 'c-7' })]
  assert.deepEqual(fencedBy(rows, merged, 'c-7').partitions, [])
})

test('a ledger with one key twice, or with a row that nobody writes, is damaged', () => {
  assert.throws(() => fencedBy([held(0, 107), held(0, 108)], merged, 'c-7'), { reason: 'LedgerDamaged' })
  for (const row of [{ PARTITION_ID: '-1' }, { NEXT_OFFSET: '-2' }, { NEXT_OFFSET: '1.5' }, { TOPIC: 'a:b' }])
    assert.throws(() => ledgerRows([held(0, 1, row)]), { reason: 'LedgerDamaged' })
})

test('the newest incarnation of a topic counts, whatever order the rows have', () => {
  const rows = [held(0, 9, { EPOCH: '1', TOPIC_ID: 'new' }), held(0, 500), held(1, 70)]
  const { offsets, topics } = newestOffsets(ledgerRows(rows), ['raw.orders.v1'])
  assert.deepEqual(offsets.get('raw.orders.v1-0'), { topicId: 'new', epoch: 1, nextOffset: 9 })
  assert.deepEqual(topics.get('raw.orders.v1'), { topicId: 'new', epoch: 1 })
})

test('what Snowflake refused is counted as dead letters of its partition', () => {
  const staged = [
    { commitId: 'c-7', takenAtMs: 0, ranges: [range(0, 100, 103), range(1, undefined, 2)], files: undefined },
    { commitId: 'c-8', takenAtMs: 0, ranges: [range(0, 103, 104)], files: undefined }
  ]
  const refused = refusedCounts([{ TOPIC: 'raw.orders.v1', PARTITION_ID: '0', REFUSED: '4' }])
  assert.deepEqual(
    commitRows(staged, refused).map(({ commitId, partition, from, next, records, deadLetters }) => [
      commitId,
      partition,
      from,
      next,
      records,
      deadLetters
    ]),
    [
      ['c-7', 0, 100, 103, 0, 3],
      ['c-7', 1, undefined, 2, 2, 0],
      ['c-8', 0, 103, 104, 0, 1]
    ]
  )
})

test('an error for a record that cannot be taken names it and the remedy', () => {
  const table = tableOf(example('commerce-snowflake'))
  const row = { TOPIC: 'raw.orders.v1', PARTITION_ID: '3', RECORD_OFFSET: '17', REASON: 'RAW_EVENT is no JSON' }
  const error = refusedError(table, [row])
  assert.equal(error.reason, 'RefusedBySnowflake')
  assert.match(error.message, /raw\.orders\.v1-3-17.*RAW_EVENT is no JSON.*policy/)
})

test('rows of a COPY are summed over its files; a COPY of nothing copied nothing', () => {
  assert.equal(
    copiedRows([
      { file: 'a', rows_loaded: '3' },
      { file: 'b', rows_loaded: '4' }
    ]),
    7
  )
  assert.equal(copiedRows([{ status: 'Copy executed with 0 files processed.' }]), 0)
})

test('only old files of our own naming are orphans', () => {
  const { objects } = tableOf(example('commerce-snowflake'))
  const file = (name: string, last_modified: string) => ({ name: `orders_raw_bronze_stage/${name}`, last_modified })
  const rows = [
    file('c-1-rows-0.ndjson.zst', 'Fri, 13 Nov 2026 09:59:59 GMT'),
    file('c-2-rows-0.ndjson.zst', 'Fri, 20 Nov 2026 10:00:00 GMT'),
    file("x'; DROP TABLE t", 'Fri, 13 Nov 2026 09:59:59 GMT'),
    { name: null, last_modified: null }
  ]
  assert.deepEqual(orphans(rows, Date.parse('2026-11-14T00:00:00Z')), ['c-1-rows-0.ndjson.zst'])
  assert.throws(() => removeFile(objects, "x'"), /broken invariant/)
})

test('history entries carry numbers', () => {
  const row = {
    COMMITTED_MS: '1795255205123',
    COMMIT_ID: 'c-7',
    PIPELINE: 'lake/shop',
    TOPIC: 'orders',
    RECORDS: '7',
    DEAD_LETTERS: '0'
  }
  assert.deepEqual(historyEntries([row]), [
    {
      committedMs: 1_795_255_205_123,
      version: 'c-7',
      pipeline: 'lake/shop',
      topic: 'orders',
      records: 7,
      deadLetters: 0
    }
  ])
})

test('a warehouse is told by its whole name', () => {
  const rows = [
    { name: 'INGESTXWH', state: 'STARTED' },
    { name: 'INGEST_WH', state: 'SUSPENDED' }
  ]
  assert.equal(isWarehouseRunning(rows, 'ingest_wh'), false)
  assert.equal(isWarehouseRunning(rows.slice(0, 1), 'ingest_wh'), undefined)
})

test('what queries cost is known when the history is', () => {
  assert.deepEqual(costOf([{ EXECUTION_MS: '2500', WAREHOUSE_SIZE: 'X-Small' }]), {
    seconds: 2.5,
    warehouseSize: 'X-Small'
  })
  assert.equal(costOf([{ EXECUTION_MS: null, WAREHOUSE_SIZE: null }]), undefined)
})
