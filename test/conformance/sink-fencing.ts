import assert from 'node:assert/strict'
import { first, offsets, type Law, type SinkProcess } from './sink-context.ts'

export function fencingLaws(law: Law): void {
  law('a commit that expects another offset is fenced, names the partitions, and leaves nothing', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 5), first(0, 5, { partition: 1 })])
    for (const part of [{ from: 4, to: 9 }, { from: 6, to: 9 }, first(5, 9)]) {
      const outcome = await context.commit(process, [part, { partition: 1, from: 5, to: 6 }])
      assert.equal(outcome.status, 'fenced')
      assert.deepEqual('partitions' in outcome && outcome.partitions, ['orders-0'])
    }
    const unknown = await context.commit(process, [{ partition: 7, from: 3, to: 4 }])
    assert.equal(unknown.status, 'fenced')
    await context.assertRows(offsets(0, 0, 5), offsets(1, 0, 5))
    assert.equal(await context.next(process, 1), 5)
  })

  law('of two processes that write the same partition one wins, and the loser learns who it was', async context => {
    const [one, two] = [await context.opened({ pipeline: 'test/one' }), await context.opened({ pipeline: 'test/two' })]
    const outcomes = await Promise.all([context.commit(one, [first(0, 3)]), context.commit(two, [first(0, 4)])])
    const winner = outcomes.findIndex(({ status }) => status === 'committed')
    const loser = outcomes[1 - winner]
    assert.ok(loser?.status === 'fenced')
    assert.equal(loser.by?.pipeline, winner === 0 ? 'test/one' : 'test/two')
    await context.assertRows(offsets(0, 0, winner === 0 ? 3 : 4))
  })

  law('processes that write different partitions rebase over each other', async context => {
    const processes = await Promise.all(Array.from({ length: 3 }, async () => await context.opened()))
    const write = async (process: SinkProcess, partition: number) => {
      await context.commit(process, [first(0, 2, { partition })])
      for (let from = 2; from < 10; from += 2) {
        const { status } = await context.commit(process, [{ partition, from, to: from + 2 }])
        assert.equal(status, 'committed')
      }
    }
    await Promise.all(processes.map(write))
    await context.assertRows(offsets(0, 0, 10), offsets(1, 0, 10), offsets(2, 0, 10))
  })

  law('a fenced process goes on from where the table is', async context => {
    const [one, two] = [await context.opened(), await context.opened()]
    await context.commit(one, [first(0, 3)])
    assert.equal((await context.commit(two, [first(0, 2)])).status, 'fenced')
    const from = (await context.next(two)) ?? -1
    assert.equal((await context.commit(two, [{ from, to: 6 }])).status, 'committed')
    assert.equal((await context.commit(one, [{ from: 3, to: 4 }])).status, 'fenced')
    await context.assertRows(offsets(0, 0, 6))
  })
}
