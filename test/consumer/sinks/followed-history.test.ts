import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followedHistory } from '../../../consumer/sinks/followed-history.ts'
import { reversedHistory } from '../../../consumer/sinks/reversed-history.ts'
import type { HistoryEntry, HistoryRange, TableHistory } from '../../../consumer/sinks/history.ts'
import { RetryableError } from '../../../lib/errors.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const MINUTE = 60_000
const RANGE = { sinceMs: NOON, untilMs: Infinity }

const entry = (committedMs: number, version: string, topic = 'orders'): HistoryEntry => ({
  committedMs,
  version,
  pipeline: 'shop/a',
  topic,
  records: 10,
  deadLetters: 1
})

/** A table that is asked by time, with what was asked. */
function table(newestFirst: boolean) {
  const held: HistoryEntry[] = []
  const asked: number[] = []
  let failAfter = Infinity
  const read = async function* ({ sinceMs, untilMs }: HistoryRange): AsyncIterable<HistoryEntry> {
    asked.push(sinceMs)
    const found = held
      .filter(({ committedMs }) => committedMs >= sinceMs && committedMs <= untilMs)
      .sort((a, b) => a.committedMs - b.committedMs)
    for (const [index, each] of (newestFirst ? found.reverse() : found).entries()) {
      if (index >= failAfter) throw new RetryableError('Away', 'it is away')
      yield each
    }
  }
  const failing = (after: number) => {
    failAfter = after
  }
  const history = newestFirst ? reversedHistory('t', RANGE, read) : followedHistory('t', RANGE, read)
  return { held, asked, failing, history }
}

const versions = async (history: TableHistory) => (await Array.fromAsync(history.read())).map(({ version }) => version)

test('what is new is told once, also what was committed a little before the newest that was told', async () => {
  const { held, asked, history } = table(false)
  held.push(entry(NOON - 1, 'before'), entry(NOON, 'a'), entry(NOON, 'a', 'clicks'), entry(NOON + 20 * MINUTE, 'b'))
  assert.deepEqual(await versions(history), ['a', 'a', 'b'])
  assert.deepEqual(await versions(history), [])
  held.push(entry(NOON + 16 * MINUTE, 'late'), entry(NOON + 21 * MINUTE, 'c'))
  assert.deepEqual(await versions(history), ['late', 'c'])
  assert.deepEqual(asked, [NOON, NOON + 15 * MINUTE, NOON + 15 * MINUTE])
})

test('where it broke off it goes on', async () => {
  const { held, failing, history } = table(false)
  held.push(entry(NOON, 'a'), entry(NOON + MINUTE, 'b'))
  failing(1)
  await assert.rejects(versions(history), { code: 'Away' })
  failing(Infinity)
  assert.deepEqual(await versions(history), ['b'])
})

test('newest first comes oldest first, a minute of a topic as one; breaking off loses nothing', async () => {
  const { held, failing, history } = table(true)
  held.push(entry(NOON, 'a'), entry(NOON + 1, 'b'), entry(NOON + 2, 'b', 'clicks'), entry(NOON + MINUTE, 'c'))
  failing(3)
  await assert.rejects(versions(history), { code: 'Away' })
  failing(Infinity)
  const told = await Array.fromAsync(history.read())
  assert.deepEqual(
    told.map(({ committedMs, topic, records, deadLetters, commits }) => [
      committedMs - NOON,
      topic,
      records,
      deadLetters,
      commits
    ]),
    [
      [1, 'orders', 20, 2, 2],
      [2, 'clicks', 10, 1, 1],
      [MINUTE, 'orders', 10, 1, 1]
    ]
  )
  held.push(entry(NOON + MINUTE + 1, 'd'))
  assert.deepEqual(await versions(history), ['d'])
})

test('newest first, a commit that becomes visible part by part is told part by part, and counted once', async () => {
  const { held, history } = table(true)
  const told = async () =>
    (await Array.fromAsync(history.read())).map(({ records, deadLetters, commits }) => [records, deadLetters, commits])
  held.push(entry(NOON, 'a'), entry(NOON + 20 * MINUTE, 'b'))
  assert.deepEqual(await told(), [
    [10, 1, 1],
    [10, 1, 1]
  ])
  held.push(entry(NOON + 20 * MINUTE, 'other'), entry(NOON + 20 * MINUTE, 'b'))
  assert.deepEqual(await told(), [[20, 2, 1]])
  held.push(entry(NOON + 16 * MINUTE, 'late'))
  assert.deepEqual(await told(), [[10, 1, 1]])
  assert.deepEqual(await told(), [])
})

test('days of commits are told with a memory of minutes', async () => {
  const { held, history } = table(false)
  for (let index = 0; index < 20_000; index++) held.push(entry(NOON + index * 10_000, String(index)))
  let told = 0
  for await (const { version } of history.read()) assert.equal(version, String(told++))
  assert.equal(told, 20_000)
  assert.deepEqual(await versions(history), [])
})
