// 100 records or 5 seconds, whichever comes first, as the owner of commerce has it.
import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { need } from '../../servers/need.ts'
import { owner, type Owner } from './owners.ts'

const needed = { ...need('kafka', 'snowflake'), timeout: 400_000 }
const TRIGGER_MS = 5000
const TOLERANCE_MS = 1000
const PER_SECOND = 3
const TRICKLE_SECONDS = 16

test('under 3 records a second each commit begins within one second of its 5 seconds', needed, async context => {
  const { owned, first, stop } = await atWork(context)
  const heldUp = stillness()
  const sent: number[] = []
  for (let at = 0; at < PER_SECOND * TRICKLE_SECONDS; at++) {
    sent.push(Date.now())
    await owned.produce(owned.orders, [order(at)])
    await wait(1000 / PER_SECOND)
  }
  await owned.until('the trickle is in', async () => (await owned.count('BRONZE.ORDERS_RAW')) === first + sent.length)
  await stop()

  const commits = (await commitsOf(owned)).filter(commit => commit.from >= first)
  assert.ok(commits.length >= 3, `${commits.length} commits`)
  for (const { from, next, atMs } of commits) {
    const lateMs = atMs - (sent[from - first] ?? Number.NaN) - TRIGGER_MS
    const words = `records ${from} to ${next}: ${lateMs} ms after 5 seconds; the machine stood still for ${heldUp()} ms`
    context.diagnostic(words)
    assert.ok(lateMs >= 0 && lateMs <= TOLERANCE_MS + heldUp(), words)
  }
})

test('99 records wait for the 5 seconds, 100 do not', needed, async context => {
  const { owned, first, stop } = await atWork(context)
  const heldUp = stillness()
  const messages = Array.from({ length: 99 }, (_, at) => order(at))
  const sentMs = Date.now()
  await owned.produce(owned.orders, messages)
  await owned.until('99 records are in', async () => (await owned.count('BRONZE.ORDERS_RAW')) === first + 99)
  const fullMs = Date.now()
  await owned.produce(owned.orders, [...messages, order(99)])
  await owned.until('100 more are in', async () => (await owned.count('BRONZE.ORDERS_RAW')) === first + 199)
  await stop()

  const [held, full] = (await commitsOf(owned)).filter(commit => commit.from >= first)
  assert.deepEqual([held?.records, full?.records], [99, 100])
  const heldMs = (held?.atMs ?? 0) - sentMs
  const takenMs = (full?.atMs ?? 0) - fullMs
  const words = `99 records: ${heldMs} ms; 100 records: ${takenMs} ms; the machine stood still for ${heldUp()} ms`
  context.diagnostic(words)
  assert.ok(heldMs >= TRIGGER_MS, words)
  assert.ok(takenMs <= TOLERANCE_MS + heldUp(), words)
})

/** A consumer that has committed all there was: what comes next begins a new batch. */
async function atWork(context: TestContext) {
  const owned = await owner(context, 'commerce')
  await owned.bronze('init')
  await owned.produce(owned.orders, [order(-1)])
  const { stop } = await owned.run(owned.orders)
  await owned.until('the consumer commits', async () => (await owned.count('BRONZE.ORDERS_RAW')) === 1)
  return { owned, first: 1, stop }
}

/** Tells how long this process was not let run at worst, in ms: so may the consumer have been. */
function stillness(): () => number {
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  return () => Math.ceil(delays.max / 1e6)
}

const order = (at: number) => JSON.stringify({ order_id: `o${at}`, user_id: 'u' })

interface Commit {
  readonly from: number
  readonly next: number
  readonly records: number
  readonly atMs: number
}

/** By the consumer's clock, from the table's own records. */
async function commitsOf(owned: Owner): Promise<readonly Commit[]> {
  const rows = await owned.session.rows(
    `SELECT FROM_OFFSET, NEXT_OFFSET, RECORDS, DATE_PART(EPOCH_MILLISECOND, COMMITTED_AT) AS AT_MS
     FROM BRONZE.ORDERS_RAW_BRONZE_COMMITS WHERE RECORDS > 0 ORDER BY NEXT_OFFSET`
  )
  return rows.map(row => ({
    from: Number(row['FROM_OFFSET']),
    next: Number(row['NEXT_OFFSET']),
    records: Number(row['RECORDS']),
    atMs: Number(row['AT_MS'])
  }))
}
