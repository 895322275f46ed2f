import assert from 'node:assert/strict'
import type { EndAt, StartFrom } from '../../../../crds/settled.ts'
import { pollUntil } from '../harness.ts'
import { type Law, firstOf, numbered } from './law.ts'

export function startLaws(law: Law): void {
  law('every form of startFrom begins where it says', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 3)
    await cluster.produce(topic, 0, numbered(4), 'none', 1000)
    await cluster.produce(topic, 0, numbered(4), 'none', 2000)
    await cluster.produce(topic, 1, numbered(3), 'none', 1500)
    await cluster.deleteRecords(topic, 1, 2)
    const { source } = await open()
    const starts = async (from: StartFrom) => [...(await source.resolveStart(topic, from))].sort(([a], [b]) => a - b)
    assert.deepEqual(await starts({ position: 'Earliest' }), [
      [0, 0],
      [1, 2],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Latest' }), [
      [0, 8],
      [1, 3],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Timestamp', timestampMs: 1500 }), [
      [0, 4],
      [1, 2],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Offsets', offsets: new Map([[0, 3]]) }), [
      [0, 3],
      [1, 2],
      [2, 0]
    ])
    const earlier = await open({ groupId: `before-${topic}`, instanceId: 'earlier' })
    await pollUntil([earlier], () => earlier.assigned.size === 3, 'the other group')
    await earlier.source.report(new Map([[firstOf(topic), { nextOffset: 6, metadata: '' }]]))
    assert.deepEqual(await starts({ position: 'Group', groupId: `before-${topic}` }), [
      [0, 6],
      [1, 2],
      [2, 0]
    ])
  })

  law('every form of endAt ends where it says, and a time to come is not final', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    await cluster.produce(topic, 0, numbered(4), 'none', 1000)
    await cluster.produce(topic, 0, numbered(4), 'none', 2000)
    await cluster.produce(topic, 1, numbered(3), 'none', 1500)
    const { source } = await open()
    const ends = async (endAt: EndAt) =>
      [...(await source.resolveEnds(topic, endAt))]
        .sort(([a], [b]) => a - b)
        .map(([, { offset, isFinal }]) => [offset, isFinal])
    assert.deepEqual(await ends({ position: 'Offsets', offsets: new Map([[1, 2]]) }), [
      [0, true],
      [2, true]
    ])
    const at = (timestampMs: number, partitions?: readonly number[]): EndAt => ({
      position: 'Timestamp',
      timestampMs,
      partitions
    })
    assert.deepEqual(await ends(at(1600)), [
      [4, true],
      [3, true]
    ])
    assert.deepEqual(await ends(at(1600, [0])), [
      [4, true],
      [0, true]
    ])
    // Kafka refuses records from more than an hour ahead.
    const soonMs = Date.now() + 30 * 60_000
    assert.deepEqual(await ends(at(soonMs)), [
      [8, false],
      [3, false]
    ])
    await cluster.produce(topic, 1, numbered(1), 'none', soonMs)
    assert.deepEqual(await ends(at(soonMs)), [
      [8, false],
      [3, true]
    ])
  })

  law('log starts are those of the brokers', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    await cluster.produce(topic, 0, numbered(5))
    await cluster.deleteRecords(topic, 0, 3)
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 2, 'assignment')
    const starts = await source.source.logStarts([...source.assigned.values()])
    assert.deepEqual(
      starts,
      new Map([
        [`${topic}-0`, 3],
        [`${topic}-1`, 0]
      ])
    )
  })
}
