import { test } from 'node:test'
import { adopted } from '../../../../../consumer/sinks/snowflake/sql/adopt.ts'
import { findBounds, NO_ROWS } from '../../../../../consumer/sinks/snowflake/sql/bad-rows.ts'
import {
  commitRows,
  findCommits,
  insertCommits,
  pruneCommits,
  readHistory
} from '../../../../../consumer/sinks/snowflake/sql/commits.ts'
import { queryCost, showWarehouse } from '../../../../../consumer/sinks/snowflake/sql/cost.ts'
import { insertDeadLetters } from '../../../../../consumer/sinks/snowflake/sql/dead-letters.ts'
import { initScript, initStatements } from '../../../../../consumer/sinks/snowflake/sql/init.ts'
import { addSentinel, readKeys, readTopics } from '../../../../../consumer/sinks/snowflake/sql/ledger-table.ts'
import { keysOf, lockLedger, moveLedger } from '../../../../../consumer/sinks/snowflake/sql/ledger.ts'
import { lookForColumns, lookForSchema, lookForStage } from '../../../../../consumer/sinks/snowflake/sql/look.ts'
import { insertRows } from '../../../../../consumer/sinks/snowflake/sql/publish.ts'
import { countRefused, firstRefused, insertRefused } from '../../../../../consumer/sinks/snowflake/sql/refused.ts'
import {
  begin,
  COMMIT,
  ROLLBACK,
  setParameters
} from '../../../../../consumer/sinks/snowflake/sql/session-parameters.ts'
import {
  batchSource,
  copyBatch,
  createBatch,
  inlineSource,
  type Source
} from '../../../../../consumer/sinks/snowflake/sql/source.ts'
import { listStage, removeFile } from '../../../../../consumer/sinks/snowflake/sql/stage.ts'
import type { SnowflakeTable } from '../../../../../consumer/sinks/snowflake/sql/table.ts'
import { mergeRanges } from '../../../../../consumer/sinks/offset-key.ts'
import type { StagedRange } from '../../../../../consumer/sink.ts'
import { found, foundColumn } from './found.ts'
import { assertGolden, assertGoldenText, step, type Step } from './golden.ts'
import { AUTHOR, NOW_MS, example, range, shop, sinkOf, tableOf } from './tables.ts'

const move = { commitId: 'c-7', author: AUTHOR, committedAtMs: NOW_MS }
const ranges = [range(0, 100, 103), range(1, undefined, 2)]

/** The end of every commit, whatever was in it. */
function ledgerSteps({ objects }: SnowflakeTable, claimed: readonly StagedRange[]): readonly Step[] {
  const merged = mergeRanges(claimed)
  const staged = [{ commitId: 'c-7', takenAtMs: NOW_MS, ranges: claimed, files: undefined }]
  return [
    step(insertCommits(objects, commitRows(staged, []), move)),
    step(lockLedger(objects, move), 'One row or more, else ROLLBACK: nothing is locked.'),
    step(moveLedger(objects, merged, move), `${merged.size} rows, else somebody else was here.`),
    step(COMMIT)
  ]
}

const refusedSteps = (table: SnowflakeTable, source: Source): readonly Step[] => [
  step(countRefused(table, source), 'When the table did not take all rows; so are the two that follow.'),
  step(insertRefused(table, source, { author: AUTHOR, failedAtMs: NOW_MS }), 'As many rows as were counted.')
]

test('mode Transaction, a small batch: the lines are bound to the statements', () => {
  const table = tableOf(example('commerce-snowflake'))
  const rows = inlineSource(table, 'rows', [
    '{"RAW_EVENT":"{\\"order_id\\":1}","INGESTION_TIMESTAMP":"2026-11-21T10:00:05.000000Z","_bronze_offset":100}\n' +
      '{"RAW_EVENT":null,"INGESTION_TIMESTAMP":"2026-11-21T10:00:05.000000Z","_bronze_offset":101}\n'
  ])
  const letters = inlineSource(table, 'deadLetters', ['{"_kafka_topic":"raw.orders.v1","_kafka_offset":102}\n'])
  assertGolden('transaction-inline', 'Mode Transaction, up to 512 KiB of lines: no stage, no temporary table.', [
    step(begin('BRONZE_0F4A')),
    step(insertRows(table, rows, ranges)),
    ...refusedSteps(table, rows),
    step(insertDeadLetters(table, letters), 'When there are dead letters that the consumer decided.'),
    ...ledgerSteps(table, ranges)
  ])
})

test('mode Transaction, a large batch: files of the stage are copied into temporary tables', () => {
  const table = tableOf(example('commerce-snowflake'))
  assertGolden('transaction-staged', 'Mode Transaction with files in the stage. PUT came before.', [
    step(createBatch(table, 'rows'), 'DDL: it would commit a transaction, so it comes before.'),
    step(createBatch(table, 'deadLetters')),
    step(begin('BRONZE_0F4A')),
    step(
      copyBatch(table, 'rows', ['c-7-rows-0.ndjson.zst', 'c-7-rows-1.ndjson.zst']),
      'All rows that were staged, else ROLLBACK.'
    ),
    step(insertRows(table, batchSource(table, 'rows'), ranges)),
    ...refusedSteps(table, batchSource(table, 'rows')),
    step(copyBatch(table, 'deadLetters', ['c-7-dlq-0.ndjson.zst'])),
    step(insertDeadLetters(table, batchSource(table, 'deadLetters')), 'As many rows as were staged.'),
    ...ledgerSteps(table, ranges),
    step(removeFile(table.objects, 'c-7-rows-0.ndjson.zst'), 'Afterwards, each file.')
  ])
})

test('mode Merge leaves out rows whose INGESTION_ID is there, and looks only where they could be', () => {
  const table = tableOf(example('flowguard-snowflake'))
  const source = batchSource(table, 'rows')
  assertGolden('merge', 'Mode Merge: what differs from mode Transaction.', [
    step(createBatch(table, 'rows')),
    step(begin('BRONZE_0F4A')),
    step(copyBatch(table, 'rows', ['c-7-rows-0.ndjson.zst'])),
    step(insertRows(table, source, ranges)),
    ...refusedSteps(table, source)
  ])
})

test('policy Inline keeps in the row what Snowflake refuses of it', () => {
  const table = tableOf(shop('topics: [{name: orders, table: orders, format: Json}]\ndeadLetters: {policy: Inline}'))
  assertGolden(
    'policy-inline',
    'Policy Inline: a value that TRY_PARSE_JSON refuses is null, and _ERROR_VALUE has its bytes.',
    [step(insertRows(table, batchSource(table, 'rows'), ranges))]
  )
})

test('policies Topic and Stop name the first record that the table cannot take', () => {
  const table = tableOf(shop('topics: [{name: orders, table: orders, format: Json}]\ndeadLetters: {policy: Stop}'))
  const source = batchSource(table, 'rows')
  assertGolden('policy-stop', 'Policies Topic and Stop: rows that the table did not take stop the consumer.', [
    step(firstRefused(table, source)),
    step(ROLLBACK)
  ])
})

test('a table that others made refuses what is too long for it, or null', () => {
  const pipeline = shop(`topics:
- name: orders
  table: sales.orders
  format: Json
  columns: [{name: event_type, value: /type}, {name: amount, value: /amount, type: Decimal, precision: 12, scale: 2}]`)
  const table = adopted(tableOf(pipeline), {
    ...found(pipeline),
    table: [
      foundColumn('EVENT_TYPE', 'VARCHAR(20) NOT NULL'),
      foundColumn('_KAFKA_KEY', 'BINARY(100)'),
      foundColumn('_KAFKA_TIMESTAMP', 'TIMESTAMP_TZ(9)')
    ]
  })
  assertGolden(
    'table-of-others',
    'EVENT_TYPE VARCHAR(20) NOT NULL, _KAFKA_KEY BINARY(100), _KAFKA_TIMESTAMP TIMESTAMP_TZ.',
    [step(insertRows(table, batchSource(table, 'rows'), ranges))]
  )
})

test('values without a column of their own are dead letters with all that was lifted from them', () => {
  const table = tableOf(
    shop(`topics:
- name: orders
  table: orders
  format: Json
  schema: {mode: Declared}
  columns: [{name: id, value: /id, type: Long}, {name: price, value: /price, type: Double}, {name: day, value: /day, type: Date}]`)
  )
  const limited = adopted(table, {
    ...found(shop('topics: [{name: orders, table: orders, format: Json}]')),
    table: [foundColumn('ID', 'NUMBER(38,0) NOT NULL')]
  })
  const source = batchSource(limited, 'rows')
  assertGolden('declared', 'Mode Declared: typed columns; ID NUMBER(38,0) NOT NULL in a table that others made.', [
    step(insertRows(limited, source, ranges)),
    step(insertRefused(limited, source, { author: AUTHOR, failedAtMs: NOW_MS }))
  ])
})

test('rows that make a statement fail are looked for with parts of the batch, and left out', () => {
  const table = tableOf(example('commerce-snowflake'))
  const source = batchSource(table, 'rows')
  const one = { topic: 'raw.orders.v1', partition: 0, from: 100, to: 102 }
  const bad = {
    ...table,
    badRows: [{ topic: one.topic, partition: 0, offset: 101, message: "Numeric value … isn't recognized (100038)" }]
  }
  assertGolden('bad-rows', 'A transaction that is rolled back finds the rows, the next one does without them.', [
    step(begin('BRONZE_0F4A')),
    step(copyBatch(table, 'rows', ['c-7-rows-0.ndjson.zst'])),
    step(insertRows(table, source, ranges, NO_ROWS), 'When this fails, no row is at fault.'),
    step(findBounds(table, source)),
    step(insertRows(table, source, ranges, [one, { ...one, partition: 1 }]), 'Then halves of what fails.'),
    step(insertRows(table, source, ranges, [one])),
    step(ROLLBACK),
    step(begin('BRONZE_0F4A')),
    step(copyBatch(table, 'rows', ['c-7-rows-0.ndjson.zst'])),
    step(insertRows(bad, source, ranges)),
    ...refusedSteps(bad, source)
  ])
})

test('bronze init prints every object, and what the writing role needs', () => {
  for (const name of ['commerce-snowflake', 'flowguard-snowflake']) {
    const pipeline = example(name)
    assertGoldenText(`init-${name}`, initScript(tableOf(pipeline), sinkOf(pipeline)))
  }
})

test('only what is not there is created; new columns are added', () => {
  const pipeline = example('commerce-snowflake')
  const table = tableOf(pipeline)
  const { objects } = table
  const before = found(pipeline)
  assertGolden('init-later', 'The table lacks a column and the ledger is gone.', [
    step(lookForSchema(objects)),
    step(lookForColumns(objects)),
    step(lookForStage(objects)),
    ...initStatements(table, {
      ...before,
      table: before.table?.filter(({ name }) => name !== 'USER_ID'),
      ledger: undefined
    }).map(statement => step(statement)),
    step(addSentinel(objects), 'In a transaction of its own, when the ledger has no such row.')
  ])
})

test('what is read, and what is tidied', () => {
  const { objects } = tableOf(example('commerce-snowflake'))
  assertGolden('other-statements', 'Outside commits.', [
    step(setParameters({ AUTOCOMMIT: false }), 'First in each session.'),
    step(readTopics(objects, ['raw.orders.v1', "o'r"]), 'recover()'),
    step(readKeys(objects, keysOf(mergeRanges(ranges))), 'When a commit moved other than all its keys.'),
    step(findCommits(objects, ['c-7'], NOW_MS), 'After a COMMIT whose answer was lost.'),
    step(readHistory(objects, NOW_MS - 3_600_000, NOW_MS), 'bronze history'),
    step(pruneCommits(objects, NOW_MS)),
    step(listStage(objects)),
    step(showWarehouse('ingest_wh'), 'Wakes nothing.'),
    step(queryCost(objects, NOW_MS))
  ])
})
