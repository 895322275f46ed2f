import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryableError } from '../../../../../lib/errors.ts'
import { SinkContext, TOPICS, first, offsets } from '../../../../conformance/sink-context.ts'
import { isFatal } from '../../../../fakes/failures.ts'
import { streamingHarness, type StreamingHarness } from '../../../../fakes/snowpipe-harness.ts'

function proves(what: string, prove: (context: SinkContext, harness: StreamingHarness) => Promise<void>): void {
  test(what, async () => {
    const harness = await streamingHarness()
    const context = new SinkContext(harness)
    try {
      await prove(context, harness)
    } finally {
      await context.close()
    }
  })
}

proves('a move of the ledger that arrives after it was given up moves nothing', async context => {
  const process = await context.opened()
  await context.commit(process, [first(0, 3)])
  process.onOperation(({ kind }) => (kind === 'move' ? 'delayed' : undefined))
  await assert.rejects(context.commit(process, [{ from: 3, to: 9, empty: true }]), RetryableError)
  process.onOperation(() => undefined)
  assert.equal(await context.next(process), 3)
  assert.equal((await context.commit(process, [{ from: 3, to: 6 }])).status, 'committed')
  await process.settle()
  assert.equal(await context.next(process), 6)
  await context.assertRows(offsets(0, 0, 6))
})

proves(
  'a channel that was deleted after its consumer stopped cleanly goes on where it ended',
  async (context, harness) => {
    const process = await context.opened()
    await context.commit(process, [first(0, 3, { bad: [1] })])
    await process.sink.close()
    harness.server.state.expire()
    const heir = await context.opened()
    assert.equal(await context.next(heir), 3)
    await context.commit(heir, [{ from: 3, to: 5 }])
    await context.assertRows(['0-0', '0-2', '0-3', '0-4'])
    await context.assertDeadLetters(['0-1'])
  }
)

proves('a channel that was deleted while its consumer waited for records goes on', async (context, harness) => {
  const process = await context.opened()
  await context.commit(process, [first(0, 3)])
  harness.server.state.expire()
  assert.equal((await context.commit(process, [{ from: 3, to: 5 }])).status, 'committed')
  await context.assertRows(offsets(0, 0, 5))
  harness.server.state.expire()
  assert.equal(await context.next(process), 5)
})

proves(
  'a channel that was deleted after a crash stops the pipeline until a person says where it ended',
  async (context, harness) => {
    await context.commit(await context.opened(), [first(0, 3)])
    harness.server.state.expire()
    const heir = await context.opened()
    await assert.rejects(heir.sink.recover(TOPICS), isFatal('OffsetsLost'))
    await assert.rejects(context.commit(heir, [{ from: 3, to: 5 }]), isFatal('OffsetsLost'))
    // Also once the channel is there again, by the commit that was refused.
    await assert.rejects(context.commit(await context.opened(), [{ from: 3, to: 5 }]), isFatal('OffsetsLost'))
    for (const [key, entry] of harness.memory.ledger)
      harness.memory.ledger.set(key, { ...entry, nextOffset: 3, writeId: '', mark: undefined })
    assert.equal(await context.next(heir), 3)
    assert.equal((await context.commit(heir, [{ from: 3, to: 5 }])).status, 'committed')
    await context.assertRows(offsets(0, 0, 5))
  }
)

proves('an incarnation of the topic that is over may lose its channels', async (context, harness) => {
  const process = await context.opened()
  await context.commit(process, [first(0, 3), first(0, 3, { partition: 1 })])
  harness.server.state.expire()
  const heir = await context.opened()
  await context.commit(heir, [first(0, 2, { topicId: 'other', epoch: 1 })])
  const { offsets: found, topics } = await heir.sink.recover(TOPICS)
  assert.deepEqual(topics.get('orders'), { topicId: 'other', epoch: 1 })
  assert.equal(found.get('orders-0')?.nextOffset, 2)
})

for (const table of ['ORDERS', 'DLQ_ORDERS'] as const) {
  proves(
    `rows that Snowflake refuses for ${table} stop the pipeline, at every start`,
    async (context, { server, memory }) => {
      const isBad = (row: Readonly<Record<string, unknown>>) =>
        row['_KAFKA_OFFSET'] === 4 || row['KAFKA_METADATA'] !== undefined
      const process = await context.opened()
      await context.commit(process, [first(0, 3)])
      server.state.refuses = row => (isBad(row) ? "no 'secret' here" : undefined)
      const part = { from: 3, to: 6, bad: table === 'ORDERS' ? [] : [4] }
      await assert.rejects(context.commit(process, [part]), isFatal('RowsRefused'))
      server.state.refuses = () => undefined
      for (let restart = 0; restart < 2; restart++) {
        const heir = await context.opened()
        await assert.rejects(async () => {
          const from = (await context.next(heir)) ?? 0
          await context.commit(heir, [{ from, to: 7 }])
        }, isFatal('RowsRefused'))
      }
      for (const [key, entry] of memory.ledger) memory.ledger.set(key, { ...entry, nextOffset: 6 })
      const heir = await context.opened()
      assert.equal(await context.next(heir), 6)
      assert.equal((await context.commit(heir, [{ from: 6, to: 7 }])).status, 'committed')
    }
  )
}

proves('a zombie that is behind opens no channel', async (context, { server }) => {
  const [owner, zombie] = [await context.opened(), await context.opened()]
  await context.commit(owner, [first(0, 3)])
  const opened = () => server.requests.filter(request => request.startsWith('PUT ')).length
  const before = opened()
  assert.equal((await context.commit(zombie, [first(0, 2)])).status, 'fenced')
  assert.equal((await context.commit(owner, [{ from: 3, to: 4 }])).status, 'committed')
  assert.equal(opened(), before)
})

proves('one taking serves many commits, and recovery of others does not end it', async (context, { server }) => {
  const process = await context.opened()
  await context.commit(process, [first(0, 2), first(0, 2, { partition: 1 })])
  const opened = () => server.requests.filter(request => request.startsWith('PUT ')).length
  const before = opened()
  for (let from = 2; from < 10; from += 2) {
    await (await context.opened()).sink.recover(TOPICS)
    await process.sink.recover(TOPICS)
    await context.commit(process, [{ from, to: from + 2, bad: [from] }])
  }
  assert.equal(opened(), before)
  assert.equal(before, 4)
})

proves('a channel that the service wants opened anew is, within the commit', async (context, { server }) => {
  const process = await context.opened()
  await context.commit(process, [first(0, 2)])
  server.state.invalidate(() => 1)
  server.state.invalidate(() => 0)
  assert.equal((await context.commit(process, [{ from: 2, to: 6, bad: [3, 4] }])).status, 'committed')
  await context.assertRows(['0-0', '0-1', '0-2', '0-5'])
  await context.assertDeadLetters(['0-3', '0-4'])
})
