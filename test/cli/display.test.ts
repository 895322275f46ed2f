import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonLines } from '../../cli/json-lines.ts'
import { LiveScreen, PlainLines, type Terminal } from '../../cli/screen.ts'
import type { RunEnd, RunEvent, RunStatus } from '../../cli/status.ts'

const status: RunStatus = {
  atMs: Date.parse('2026-01-02T03:04:05.000Z'),
  startedMs: Date.parse('2026-01-02T03:04:00.000Z'),
  name: 'taxi',
  sink: 'delta',
  trouble: undefined,
  consumers: [{ name: 'taxi-0', pid: undefined, restarts: 1, state: 'BackOff' }],
  readyConsumers: 0,
  partitions: 1,
  lag: undefined,
  behindSeconds: undefined,
  deadLetters: 2,
  topics: [
    {
      topic: 'trips',
      table: 'b.trips',
      partitions: 1,
      lag: undefined,
      behindSeconds: 1,
      deadLetters: 2,
      sinkError: undefined
    }
  ],
  progress: undefined
}

const event: RunEvent = {
  atMs: status.atMs,
  level: 'warning',
  reason: 'ConsumerEnded',
  message: 'taxi-0 ended with exit code 70',
  consumer: 'taxi-0',
  fields: { exitCode: 70, signal: null, lastLines: ['boom'] }
}

const end: RunEnd = { atMs: status.atMs, outcome: 'Stopped', exitCode: 0, message: 'stopped' }

const ESC = String.fromCharCode(27)
const SEQUENCES = new RegExp(`(${ESC}\\[\\d*[A-Za-z]|\\r|\\n)|([^${ESC}\\r\\n]+)`, 'g')

/** Understands just the sequences that the screen uses, and refuses others. */
class FakeTerminal {
  readonly columns = 100
  readonly rows = 24
  lines: string[] = ['']
  #row = 0

  readonly write = ((text: string) => {
    for (const [, sequence, plain] of text.matchAll(SEQUENCES)) {
      if (plain !== undefined) this.lines[this.#row] = (this.lines[this.#row] ?? '') + plain
      else if (sequence === '\n') this.lines[++this.#row] ??= ''
      else if (sequence === `${ESC}[J`) this.lines = [...this.lines.slice(0, this.#row), '']
      else if (sequence?.endsWith('A')) this.#row -= Number(sequence.slice(2, -1))
      else assert.equal(sequence, '\r')
      assert.ok(this.#row >= 0, 'the cursor stays on the screen')
    }
    return true
  }) as Terminal['write']
}

test('a terminal shows one picture, redrawn in place, below what happened', () => {
  const terminal = new FakeTerminal()
  const screen = new LiveScreen(terminal)
  terminal.write('$ bronze run\n')
  screen.event(event)
  screen.status(status)
  screen.status({ ...status, lag: 5 })
  screen.event(event)
  screen.status({ ...status, lag: 3 })
  screen.end(end, { ...status, lag: 0 })
  assert.deepEqual(terminal.lines, [
    '$ bronze run',
    '03:04:05 taxi-0 ended with exit code 70',
    '         | boom',
    '03:04:05 taxi-0 ended with exit code 70',
    '         | boom',
    'NAME   READY   TOPICS   SINK    PODS   PARTS   LAG   BEHIND   DLQ   AGE',
    'taxi   True    1        delta   0/1    1       0     ?        2     5s',
    '',
    'TOPIC   TABLE     PARTS   LAG   BEHIND   DLQ',
    'trips   b.trips   1       ?     1s       2',
    'stopped',
    ''
  ])
})

test('without a terminal a line comes only when something changed, and not too often', () => {
  const lines: string[] = []
  const plain = new PlainLines(line => lines.push(line), 5000)
  const later = (afterMs: number, lag: number) => plain.status({ ...status, atMs: status.atMs + afterMs, lag })
  later(0, 9)
  later(1000, 8)
  later(5000, 9)
  later(6000, 7)
  later(7000, 6)
  later(11_000, 6)
  plain.end(end, undefined)
  assert.deepEqual(lines, [
    '03:04:05 taxi ready 0/1, lag 9, behind ?, dead letters 2\n',
    '03:04:11 taxi ready 0/1, lag 7, behind ?, dead letters 2\n',
    '03:04:16 taxi ready 0/1, lag 6, behind ?, dead letters 2\n',
    'stopped\n'
  ])
})

test('programs read one JSON object per line: status, event, and done as the last', () => {
  const lines: string[] = []
  const json = new JsonLines(line => lines.push(line))
  json.status(status)
  json.event(event)
  json.end(end, undefined)
  assert.ok(lines.every(line => line.endsWith('\n') && line.indexOf('\n') === line.length - 1))
  assert.deepEqual(
    lines.map(line => JSON.parse(line) as unknown),
    [
      {
        type: 'status',
        time: '2026-01-02T03:04:05.000Z',
        name: 'taxi',
        ready: true,
        trouble: null,
        sink: 'delta',
        readyConsumers: 0,
        partitions: 1,
        lag: null,
        behindSeconds: null,
        deadLetters: 2,
        recordsPerSecond: null,
        topics: [
          {
            topic: 'trips',
            table: 'b.trips',
            partitions: 1,
            lag: null,
            behindSeconds: 1,
            deadLetters: 2,
            sinkError: null
          }
        ],
        consumers: [{ name: 'taxi-0', pid: null, restarts: 1, state: 'BackOff' }]
      },
      {
        type: 'event',
        time: '2026-01-02T03:04:05.000Z',
        level: 'warning',
        reason: 'ConsumerEnded',
        message: 'taxi-0 ended with exit code 70',
        consumer: 'taxi-0',
        exitCode: 70,
        signal: null,
        lastLines: ['boom']
      },
      {
        type: 'done',
        time: '2026-01-02T03:04:05.000Z',
        outcome: 'Stopped',
        exitCode: 0,
        message: 'stopped',
        status: null
      }
    ]
  )
})
