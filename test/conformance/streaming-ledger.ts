import assert from 'node:assert/strict'
import { test, type TestOptions } from 'node:test'
import { formatKey } from '../../consumer/sinks/offset-key.ts'
import type { StreamingLedger } from '../../consumer/sinks/snowflake/streaming/ledger.ts'

export interface LedgerHarness {
  /** A process of its own, by its consumer id. */
  process(consumerId: string): StreamingLedger
  /** Puts dead letters into their table: `<write id> <partition>-<offset>`. */
  putLetters(
    letters: readonly { readonly writeId: string; readonly partition: number; readonly offset: number }[]
  ): Promise<void>
  letters(): Promise<readonly string[]>
  close(): Promise<void>
}

const key = (partition: number, topic = 'orders') => ({ topic, topicId: 'bm90LWEtcmVhbC10b3BpYw', epoch: 0, partition })
const move = (partition: number, expected: number | undefined, next: number, writeId = '') => ({
  key: key(partition),
  expected,
  next,
  writeId,
  deadLetters: 0
})
const [A, B] = ['a'.repeat(32), 'b'.repeat(32)]

/** What `StreamingLedger` promises, of any of them. */
export function testStreamingLedger(name: string, open: () => Promise<LedgerHarness>, options: TestOptions = {}): void {
  const law = (what: string, prove: (harness: LedgerHarness) => Promise<void>): void => {
    test(`${name}: ${what}`, options, async () => {
      const harness = await open()
      try {
        await prove(harness)
      } finally {
        await harness.close()
      }
    })
  }

  law('a key that is taken is there, without an offset, and its former row is told', async harness => {
    const one = harness.process('one')
    assert.equal((await one.take([key(0), key(1)], A)).size, 0)
    const [first, second] = await one.read(['orders'])
    assert.deepEqual([first?.nextOffset, first?.writeId, first?.mark, second?.writeId], [undefined, A, undefined, A])
    const former = await harness.process('two').take([key(0)], B)
    assert.deepEqual(
      [former.get(formatKey(key(0)))?.writeId, former.get(formatKey(key(0)))?.author?.consumerId],
      [A, 'one']
    )
    assert.deepEqual(
      await one.holders([key(0), key(1), key(2)]),
      new Map([
        [formatKey(key(0)), B],
        [formatKey(key(1)), A]
      ])
    )
    assert.deepEqual(await one.read(['other']), [])
  })

  law('whoever took a key last holds it: others confirm, move and settle it no more', async harness => {
    const [one, two] = [harness.process('one'), harness.process('two')]
    await one.take([key(0), key(1)], A)
    await two.take([key(0)], B)
    const channels = [0, 1].map(partition => ({ key: key(partition), createdOnMs: 5 }))
    assert.deepEqual(await one.confirm(channels, A), [formatKey(key(0))])
    assert.deepEqual(await two.confirm([channels[0] as (typeof channels)[0]], B), [])
    assert.deepEqual(await one.move([move(0, undefined, 9, A), move(1, undefined, 9, A)], 'c1'), [formatKey(key(0))])
    const offsets = async () => new Map((await one.read(['orders'])).map(entry => [entry.key.partition, entry]))
    assert.equal((await offsets()).get(1)?.nextOffset, undefined, 'all are moved, or none')
    assert.deepEqual(await two.move([move(0, undefined, 12, B)], 'c2'), [])
    await one.settle([0, 1].map(partition => ({ key: key(partition), writeId: A, next: 30, createdOnMs: 5 })))
    const after = await offsets()
    assert.deepEqual([after.get(0)?.nextOffset, after.get(0)?.mark], [12, { createdOnMs: 5, isSettled: false }])
    assert.deepEqual([after.get(1)?.nextOffset, after.get(1)?.mark], [30, { createdOnMs: 5, isSettled: true }])
    assert.equal(after.get(0)?.author?.consumerId, 'two')
  })

  law('settling never takes an offset back, and a key without rows stays without', async harness => {
    const one = harness.process('one')
    await one.take([key(0), key(1)], A)
    await one.move([move(0, undefined, 40, A)], 'c1')
    await one.settle([
      { key: key(0), writeId: A, next: 30, createdOnMs: 5 },
      { key: key(1), writeId: A, next: undefined, createdOnMs: 6 }
    ])
    const next = (await one.read(['orders']))
      .map(({ key: { partition }, nextOffset }) => ({ partition, nextOffset }))
      .sort((left, right) => left.partition - right.partition)
    assert.deepEqual(next, [
      { partition: 0, nextOffset: 40 },
      { partition: 1, nextOffset: undefined }
    ])
    // A mark outlives whoever takes the key next.
    const former = await harness.process('two').take([key(0)], B)
    assert.deepEqual(former.get(formatKey(key(0)))?.mark, { createdOnMs: 5, isSettled: true })
    const entry = (await one.read(['orders'])).find(each => each.key.partition === 0)
    assert.deepEqual([entry?.writeId, entry?.mark], [B, { createdOnMs: 5, isSettled: true }])
  })

  law('beginnings are pinned together, once', async harness => {
    const ledgers = [harness.process('one'), harness.process('two'), harness.process('three')]
    const pins = (start: number) => [0, 1, 2].map(partition => move(partition, undefined, start + partition))
    const there = await Promise.all(
      ledgers.map(async (ledger, index) => await ledger.pin(pins(index * 10), `c${index}`))
    )
    const winners = there.flatMap((entries, index) => (entries.length === 0 ? [index] : []))
    assert.equal(winners.length, 1)
    const offsets = (await ledgers[0]?.read(['orders']))?.map(({ nextOffset = -1 }) => nextOffset % 10)
    assert.deepEqual(new Set(offsets), new Set([0, 1, 2]))
    const late = await ledgers[0]?.pin([move(2, undefined, 99), move(7, undefined, 99)], 'c4')
    assert.deepEqual(
      late?.map(({ key: { partition } }) => partition),
      [2]
    )
  })

  law('dead letters are deleted by their write id, partition and offset', async harness => {
    await harness.putLetters([
      { writeId: A, partition: 0, offset: 4 },
      { writeId: A, partition: 0, offset: 5 },
      { writeId: B, partition: 0, offset: 6 },
      { writeId: A, partition: 1, offset: 7 }
    ])
    await harness.process('one').deleteLetters([{ key: key(0), writeId: A, fromOffset: 5 }])
    assert.deepEqual(await harness.letters(), [`${A} 0-4`, `${A} 1-7`, `${B} 0-6`])
  })
}
