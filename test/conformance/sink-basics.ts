import assert from 'node:assert/strict'
import type { Staged } from '../../consumer/sink.ts'
import { TOPIC_ID } from './batches.ts'
import { TOPICS, first, offsets, type Law } from './sink-context.ts'

export function basicLaws(law: Law): void {
  law('a new table holds no offsets and no rows', async context => {
    const process = await context.opened()
    const recovered = await process.sink.recover(TOPICS)
    assert.equal(recovered.offsets.size, 0)
    assert.equal(recovered.topics.size, 0)
    await context.assertRows([])
  })

  law('many processes create one table at the same time', async context => {
    const processes = await Promise.all(Array.from({ length: 5 }, async () => await context.opened()))
    const outcomes = await Promise.all(
      processes.map(async (process, partition) => await context.commit(process, [first(0, 2, { partition })]))
    )
    assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['committed']))
    await context.assertRows(...processes.map((_, partition) => offsets(partition, 0, 2)))
  })

  law('rows and offsets become visible together, and only by the commit', async context => {
    const process = await context.opened()
    const staged = await context.stage(process, [first(0, 3), first(5, 7, { partition: 1 })])
    await context.assertRows([])
    assert.equal(await context.next(process), undefined)
    assert.equal((await process.sink.commit([staged])).status, 'committed')
    await context.assertRows(offsets(0, 0, 3), offsets(1, 5, 7))
    const recovered = await process.sink.recover(TOPICS)
    assert.deepEqual(
      [...recovered.offsets],
      [
        ['orders-0', { topicId: TOPIC_ID, epoch: 0, nextOffset: 3 }],
        ['orders-1', { topicId: TOPIC_ID, epoch: 0, nextOffset: 7 }]
      ]
    )
    assert.deepEqual([...recovered.topics], [['orders', { topicId: TOPIC_ID, epoch: 0 }]])
    assert.equal((await process.sink.recover(['other'])).offsets.size, 0)
  })

  law('what is staged is plain JSON, and another process may commit it', async context => {
    const [one, two] = [await context.opened(), await context.opened()]
    const staged = JSON.parse(
      JSON.stringify(await context.stage(one, [{ from: 0, to: 2, expected: undefined }]))
    ) as Staged
    assert.equal((await two.sink.commit([staged])).status, 'committed')
    await context.assertRows(offsets(0, 0, 2))
  })

  law('several staged batches are one commit, also where one continues another', async context => {
    const process = await context.opened()
    const staged = [
      await context.stage(process, [first(0, 2)]),
      await context.stage(process, [{ from: 2, to: 4 }, first(0, 1, { partition: 1 })])
    ]
    assert.equal((await process.sink.commit(staged)).status, 'committed')
    await context.assertRows(offsets(0, 0, 4), offsets(1, 0, 1))
    assert.equal(await context.next(process), 4)
  })

  law('offsets move without rows', async context => {
    const process = await context.opened()
    assert.equal((await context.commit(process, [first(0, 40, { empty: true })])).status, 'committed')
    assert.equal(await context.next(process), 40)
    assert.equal((await context.commit(process, [{ from: 40, to: 42 }])).status, 'committed')
    await context.assertRows(offsets(0, 40, 42))
  })

  law('offset zero is an offset', async context => {
    const process = await context.opened()
    assert.equal((await context.commit(process, [first(0, 0, { empty: true })])).status, 'committed')
    assert.equal(await context.next(process), 0)
    assert.equal((await context.commit(process, [first(0, 1)])).status, 'fenced')
    assert.equal((await context.commit(process, [{ from: 0, to: 1 }])).status, 'committed')
  })

  law('a topic created anew has keys of its own, and the newest is recovered', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 5), first(0, 3, { partition: 1 })])
    await context.commit(process, [first(0, 2, { topicId: 'other', epoch: 1 })])
    const { offsets: found, topics } = await process.sink.recover(TOPICS)
    assert.deepEqual(found.get('orders-0'), { topicId: 'other', epoch: 1, nextOffset: 2 })
    assert.deepEqual(found.get('orders-1'), { topicId: TOPIC_ID, epoch: 0, nextOffset: 3 })
    assert.deepEqual(topics.get('orders'), { topicId: 'other', epoch: 1 })
  })

  law('a large batch of many partitions is committed whole', async context => {
    const process = await context.opened()
    const parts = Array.from({ length: 8 }, (_, partition) => first(0, 2_000, { partition }))
    assert.equal((await context.commit(process, parts)).status, 'committed')
    assert.equal((await context.harness.rows()).length, 16_000)
  })
}
