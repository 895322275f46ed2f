import assert from 'node:assert/strict'
import { partitionId } from '../../../../consumer/partition.ts'
import { pollUntil } from '../harness.ts'
import { type Law, firstOf, numbered } from './law.ts'

export function lossLaws(law: Law): void {
  law(
    'records deleted before they were read are a truncation, told once, and reading goes on when sought',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, numbered(10))
      await cluster.deleteRecords(topic, 0, 6)
      const source = await open()
      source.start = () => 2
      await pollUntil([source], () => source.losses.length > 0, 'the loss')
      const [loss] = source.losses
      assert.deepEqual([loss?.kind, loss?.nextOffset, loss?.resumeOffset], ['Truncated', 2, 6])
      for (let round = 0; round < 10; round++) await source.pollOnce(50)
      assert.equal(source.losses.length, 1)
      assert.equal(source.records.length, 0)
      source.source.seek(new Map([[firstOf(topic), 6]]))
      await pollUntil([source], () => source.records.length === 4, 'the rest')
      assert.deepEqual(source.offsets(`${topic}-0`), [6, 7, 8, 9])
    }
  )

  law('an offset beyond the end is a loss', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(3))
    const source = await open()
    source.start = () => 50
    await pollUntil([source], () => source.losses.length > 0, 'the loss')
    const [loss] = source.losses
    assert.deepEqual([loss?.kind, loss?.nextOffset, loss?.resumeOffset], ['BeyondEnd', 50, 3])
  })

  law('a topic made anew under the same name is told with its new id', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(5))
    const source = await open({ limits: { metadataRefreshMs: 3000 } })
    await pollUntil([source], () => source.records.length === 5, 'records')
    const before = source.assigned.get(`${topic}-0`)
    await cluster.deleteTopic(topic)
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(7, 'new'))
    await pollUntil([source], () => source.losses.length > 0, 'the loss')
    const [loss] = source.losses
    assert.equal(loss?.kind, 'Recreated')
    assert.equal(partitionId(loss.partition), `${topic}-0`)
    assert.notEqual(loss.partition.topicId, before?.topicId)
    assert.deepEqual([loss.nextOffset, loss.resumeOffset], [5, 0])
    source.source.seek(new Map([[firstOf(topic), 0]]))
    await pollUntil([source], () => source.records.length === 12, 'the new records')
    assert.equal(source.batches.at(-1)?.partition.topicId, loss.partition.topicId)
  })

  law(
    'a topic that is gone is taken away, and assigned under its new id when it comes back',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      const source = await open({ topics: [topic, `${topic}-other`] })
      await cluster.createTopic(`${topic}-other`)
      await pollUntil([source], () => source.assigned.size === 2, 'assignment')
      const before = source.assigned.get(`${topic}-0`)?.topicId
      await cluster.deleteTopic(topic)
      await pollUntil([source], () => source.assigned.size === 1, 'the revocation')
      await cluster.createTopic(topic)
      await pollUntil([source], () => source.assigned.size === 2, 'the new topic')
      assert.notEqual(source.assigned.get(`${topic}-0`)?.topicId, before)
    }
  )
}
