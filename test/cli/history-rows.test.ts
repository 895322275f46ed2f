import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HistoryLines, HistoryTable, type HistoryDisplay } from '../../cli/history-display.ts'
import { mergedRows, minuteRows } from '../../cli/history-rows.ts'
import { HistoryTotals } from '../../cli/history-totals.ts'
import type { HistoryEntry, HistoryRange } from '../../consumer/sinks/history.ts'
import { RetryableError } from '../../lib/errors.ts'

const TEN = Date.UTC(2026, 10, 21, 10)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const TABLES = ['bronze.orders', 'bronze.clicks', 'bronze.none']

const entry = (atMs: number, records: number | undefined, rest: Partial<HistoryEntry> = {}): HistoryEntry => ({
  committedMs: TEN + atMs,
  version: String(atMs),
  pipeline: 'lakehouse/shop',
  topic: 'shop.orders',
  records,
  deadLetters: 0,
  ...rest
})

async function* stream(entries: readonly HistoryEntry[]): AsyncIterable<HistoryEntry> {
  yield* entries
}

const fail = (error: RetryableError) => assert.fail(error)
const rowsOf = (table: string, entries: readonly HistoryEntry[]) => minuteRows(table, stream(entries), fail)

/** What a display of two tables prints. */
async function told(
  display: HistoryDisplay,
  one: readonly HistoryEntry[],
  other: readonly HistoryEntry[],
  range: HistoryRange = { sinceMs: 0, untilMs: Infinity }
): Promise<void> {
  const totals = new HistoryTotals(TABLES, range)
  display.note({ table: 'bronze.none', message: 'is not there', isIncomplete: false })
  totals.markIncomplete('bronze.clicks')
  for await (const row of mergedRows([rowsOf('bronze.orders', one), rowsOf('bronze.clicks', other)])) {
    display.row(row)
    totals.add(row)
  }
  display.end(totals.all)
}

const ORDERS = [
  entry(5 * SECOND, 100),
  entry(15 * SECOND, 20, { deadLetters: 2 }),
  entry(20 * SECOND, 7, { topic: 'shop.returns' }),
  entry(61 * SECOND, 1)
]
const CLICKS = [
  entry(-MINUTE, 5_000, { topic: 'shop.clicks', commits: 360, fromMs: TEN - 3_600_000 }),
  entry(30 * SECOND, undefined, { topic: 'shop.clicks', deadLetters: undefined, atMost: 70 }),
  entry(31 * SECOND, 30, { topic: 'shop.clicks' })
]

test('tables are told minute by minute, unknown figures as such, then each in all', async () => {
  let [text, notes] = ['', '']
  await told(
    new HistoryTable(
      more => (text += more),
      more => (notes += more),
      TABLES
    ),
    ORDERS,
    CLICKS
  )
  assert.equal(
    text,
    `MINUTE (UTC)             TABLE           TOPIC          RECORDS    DEAD-LETTERS   COMMITS   LAST-COMMIT
2026-11-21 09:00–09:59   bronze.clicks   shop.clicks    5000       0              360       09:59:00
2026-11-21 10:00         bronze.orders   shop.orders    120        2              2         10:00:15
2026-11-21 10:00         bronze.orders   shop.returns   7          0              1         10:00:20
2026-11-21 10:00         bronze.clicks   shop.clicks    ? (≤100)   ?              2         10:00:31
2026-11-21 10:01         bronze.orders   shop.orders    1          0              1         10:01:01
total                    bronze.orders   2 topics       128        2              4         2026-11-21 10:01:01
total                    bronze.clicks   shop.clicks    ?          ?              ≥362      2026-11-21 10:00:31
total                    bronze.none     -              0          0              0         -
`
  )
  assert.equal(notes, 'bronze: bronze.none is not there\n')
})

test('for programs each row, note and total is an object, and what is unknown is null', async () => {
  const lines: unknown[] = []
  await told(new HistoryLines(line => lines.push(JSON.parse(line)), { sinceMs: TEN, untilMs: Infinity }), [], CLICKS)
  const clicks = { table: 'bronze.clicks', topic: 'shop.clicks' }
  const none = { records: 0, recordsAtMost: null, deadLetters: 0, commits: 0, lastCommitTime: null }
  const range = { since: '2026-11-21T10:00:00.000Z', until: null }
  assert.deepEqual(lines, [
    { type: 'note', table: 'bronze.none', message: 'is not there', incomplete: false },
    {
      type: 'minute',
      from: '2026-11-21T09:00:00.000Z',
      to: '2026-11-21T10:00:00.000Z',
      ...clicks,
      records: 5000,
      recordsAtMost: null,
      deadLetters: 0,
      commits: 360,
      lastCommitTime: '2026-11-21T09:59:00.000Z'
    },
    {
      type: 'minute',
      from: '2026-11-21T10:00:00.000Z',
      to: '2026-11-21T10:01:00.000Z',
      ...clicks,
      records: null,
      recordsAtMost: 100,
      deadLetters: null,
      commits: 2,
      lastCommitTime: '2026-11-21T10:00:31.000Z'
    },
    { type: 'total', ...range, table: 'bronze.orders', topics: [], ...none, complete: true },
    {
      type: 'total',
      ...range,
      table: 'bronze.clicks',
      topics: ['shop.clicks'],
      records: null,
      recordsAtMost: null,
      deadLetters: null,
      commits: 362,
      lastCommitTime: '2026-11-21T10:00:31.000Z',
      complete: false
    },
    { type: 'total', ...range, table: 'bronze.none', topics: [], ...none, complete: true }
  ])
})

test('commits that come late by a few minutes are in their minute; minutes long past are given out meanwhile', async () => {
  const given: number[] = []
  let taken = 0
  const source = async function* () {
    for (const minutes of [0, 3, 1, 2, ...Array.from({ length: 1_000 }, (_, index) => index + 4)]) {
      taken++
      yield entry(minutes * MINUTE, 1)
    }
  }
  for await (const { fromMs, commits } of minuteRows('t', source(), fail)) {
    assert.equal(commits, 1)
    given.push((fromMs - TEN) / MINUTE)
    assert.ok(taken - given.length <= 12, 'no more is held than a quarter of an hour')
  }
  assert.deepEqual(
    given,
    Array.from({ length: 1_004 }, (_, index) => index)
  )
})

test('a table that cannot be read to the end gives what was read, and the others go on', async () => {
  const broken = async function* () {
    yield entry(0, 1)
    throw new RetryableError('S3Unavailable', 'away')
  }
  const troubles: string[] = []
  const rows = mergedRows([
    minuteRows('a', broken(), ({ code }) => troubles.push(code)),
    rowsOf('b', [entry(0, 2), entry(MINUTE, 3)])
  ])
  assert.deepEqual(
    (await Array.fromAsync(rows)).map(({ table, records }) => [table, records]),
    [
      ['a', 1],
      ['b', 2],
      ['b', 3]
    ]
  )
  assert.deepEqual(troubles, ['S3Unavailable'])
})

test('what a table tells of more than the range is shown, and not counted as of the range', async () => {
  let text = ''
  const table = new HistoryTable(
    more => (text += more),
    () => {},
    TABLES
  )
  await told(table, ORDERS, CLICKS.slice(0, 1), { sinceMs: TEN - 60 * MINUTE + MINUTE, untilMs: TEN + MINUTE })
  assert.match(text, /\n2026-11-21 09:00–09:59 +bronze\.clicks +shop\.clicks +5000 /)
  assert.match(text, /\ntotal +bronze\.orders +2 topics +≥127 +≥2 +≥3 +2026-11-21 10:00:20\n/)
  assert.match(text, /\ntotal +bronze\.clicks +- +≥0 +≥0 +≥0 +-\n/)
})
