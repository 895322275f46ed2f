import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortCount, shortSeconds } from '../../lib/figures.ts'
import type { RunStatus, TopicStatus } from '../../cli/status.ts'
import { oneLine, picture, progressLine, worst } from '../../cli/table.ts'

const topic = (name: string, lag: number | undefined = 0): TopicStatus => ({
  topic: name,
  table: `bronze.${name}`,
  partitions: 3,
  lag,
  behindSeconds: lag === 0 ? 0 : 3,
  deadLetters: 0,
  sinkError: undefined
})

const status: RunStatus = {
  atMs: 75_000,
  startedMs: 0,
  name: 'taxi',
  sink: 'delta',
  trouble: undefined,
  consumers: [
    { name: 'taxi-0', pid: 11, restarts: 0, state: 'Running' },
    { name: 'taxi-1', pid: 12, restarts: 2, state: 'Running' }
  ],
  readyConsumers: 2,
  partitions: 6,
  lag: 12_345,
  behindSeconds: 3,
  deadLetters: 4,
  topics: [topic('trips', 12_345), topic('weather')],
  progress: undefined
}

const WIDE = { columns: 120, rows: 40 }

test('counts are rounded down and short', () => {
  const cases: [number | undefined, string][] = [
    [undefined, '?'],
    [0, '0'],
    [999, '999'],
    [1000, '1k'],
    [1290, '1.2k'],
    [9999, '9.9k'],
    [12_345, '12k'],
    [999_999, '999k'],
    [1_000_000, '1M'],
    [3_456_789, '3.4M'],
    [7e9, '7G'],
    [2e15, '2000T']
  ]
  for (const [count, text] of cases) assert.equal(shortCount(count), text)
})

test('durations read as ages do in kubectl', () => {
  const cases: [number | undefined, string][] = [
    [undefined, '?'],
    [-1, '0s'],
    [0.9, '0s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [600, '10m'],
    [3 * 3600, '3h'],
    [5 * 3600 + 600, '5h10m'],
    [30 * 3600, '30h'],
    [72 * 3600, '3d']
  ]
  for (const [seconds, text] of cases) assert.equal(shortSeconds(seconds), text)
})

test('the picture is the line of kubectl get bp, and a line per topic', () => {
  assert.deepEqual(picture(status, WIDE), [
    'NAME   READY   TOPICS   SINK    PODS   PARTS   LAG   BEHIND   DLQ   AGE',
    'taxi   True    2        delta   2/2    6       12k   3s       4     75s',
    '',
    'TOPIC     TABLE            PARTS   LAG   BEHIND   DLQ',
    'trips     bronze.trips     3       12k   3s       0',
    'weather   bronze.weather   3       0     0s       0'
  ])
})

test('what is unknown is a question mark, and trouble is named', () => {
  const unknown = { lag: undefined, behindSeconds: undefined, deadLetters: undefined, partitions: undefined }
  const lines = picture({ ...status, ...unknown, topics: [], trouble: 'SourceUnreachable: no broker' }, WIDE)
  assert.deepEqual(lines, [
    'NAME   READY   TOPICS   SINK    PODS   PARTS   LAG   BEHIND   DLQ   AGE',
    'taxi   False   0        delta   2/2    ?       ?     ?        ?     75s',
    'not ready: SourceUnreachable: no broker'
  ])
})

test('a table in trouble shows the code of it', () => {
  const lines = picture({ ...status, topics: [{ ...topic('trips'), sinkError: 'S3Unavailable' }] }, WIDE)
  assert.equal(lines.at(-1), 'trips   bronze.trips   3       0     0s       0     S3Unavailable')
})

test('no terminal is too small: lines are cut, the topics furthest behind stay', () => {
  const topics = Array.from({ length: 50 }, (_, i) =>
    topic(`topic-${String(i).padStart(2, '0')}`, i % 10 === 7 ? i : 0)
  )
  const progress = { fraction: 0.5, toGo: 1000, recordsPerSecond: 100 }
  for (const size of [
    { columns: 40, rows: 12 },
    { columns: 10, rows: 9 },
    { columns: 200, rows: 23 }
  ]) {
    const lines = picture({ ...status, topics, progress }, size)
    assert.ok(lines.length <= size.rows, `${lines.length} lines in ${size.rows} rows`)
    assert.ok(lines.every(line => line.length <= size.columns))
  }
  const text = picture({ ...status, topics }, { columns: 100, rows: 11 }).join('\n')
  for (const name of ['topic-07', 'topic-17', 'topic-27', 'topic-37', 'topic-47']) assert.match(text, new RegExp(name))
  assert.match(text, /and 45 more$/)
})

test('the worst topics keep their order, unknown counts as worst', () => {
  const topics = [topic('a', 1), { ...topic('b'), lag: undefined }, topic('c', 5), topic('d', 3)]
  assert.deepEqual(
    worst(topics, 3).map(({ topic }) => topic),
    ['b', 'c', 'd']
  )
})

test('the progress bar shows share, rest, rate and time to go', () => {
  assert.equal(
    progressLine({ fraction: 0.5, toGo: 48_000, recordsPerSecond: 12_000 }),
    'catching up ███████████████░░░░░░░░░░░░░░░ 50 %   48k to go   12k/s   about 4s'
  )
  assert.equal(
    progressLine({ fraction: 1, toGo: 0, recordsPerSecond: undefined }),
    'catching up ██████████████████████████████ 100 %   0 to go'
  )
})

test('one line holds the same figures for a log', () => {
  assert.equal(oneLine(status), 'taxi ready 2/2, lag 12k, behind 3s, dead letters 4')
  const behind = { ...status, trouble: 'starting', progress: { fraction: 0, toGo: 5, recordsPerSecond: 1200 } }
  assert.equal(oneLine(behind), 'taxi not ready (starting) 2/2, lag 12k, behind 3s, dead letters 4, 1.2k/s')
})
