import assert from 'node:assert/strict'
import { pollUntil } from '../harness.ts'
import { type Law, firstOf, numbered, valuesOf } from './law.ts'

export function readingLaws(law: Law): void {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    law(`${codec} records arrive once, in order, tombstones too`, async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, [...numbered(50), null], codec)
      await cluster.produce(topic, 0, numbered(50, 'w'), codec)
      const source = await open()
      await pollUntil([source], () => source.records.length >= 101, '101 records')
      assert.deepEqual(valuesOf(source), [...numbered(50), null, ...numbered(50, 'w')])
      assert.deepEqual(
        source.offsets(`${topic}-0`),
        Array.from({ length: 101 }, (_, offset) => offset)
      )
    })
  }

  law('nothing is fetched before it is sought, and a seek goes back', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(10))
    const source = await open()
    source.start = undefined
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
    for (let round = 0; round < 5; round++) await source.pollOnce(50)
    assert.equal(source.records.length, 0)
    source.source.seek(new Map([[firstOf(topic), 4]]))
    await pollUntil([source], () => source.records.length === 6, 'records from 4')
    source.source.seek(new Map([[firstOf(topic), 8]]))
    await pollUntil([source], () => source.records.length === 8, 'records from 8')
    assert.deepEqual(source.offsets(`${topic}-0`), [4, 5, 6, 7, 8, 9, 8, 9])
  })

  law('a closed gate holds one partition while the other flows', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    const source = await open()
    let closed: string | undefined = `${topic}-0`
    source.source.setGate(id => id !== closed)
    await cluster.produce(topic, 0, numbered(5))
    await cluster.produce(topic, 1, numbered(5))
    await pollUntil([source], () => source.records.length === 5, 'the open partition')
    assert.equal(source.offsets(`${topic}-0`).length, 0)
    closed = undefined
    await pollUntil([source], () => source.records.length === 10, 'the gate opened')
  })

  law('a batch larger than the fetch limits comes through', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const large = 'x'.repeat(400_000)
    await cluster.produce(topic, 0, [large])
    await cluster.produce(topic, 0, ['small'])
    const source = await open({ limits: { fetchBytes: 2000, partitionFetchBytes: 1000 } })
    await pollUntil([source], () => source.records.length === 2, 'both records')
    assert.equal(source.records[0]?.value?.length, 400_000)
  })

  law(
    'aborted transactions leave no record, committed ones do, and the offset passes the markers',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, ['plain'])
      await cluster.transact(`${topic}-x`, topic, ['aborted 1', 'aborted 2'], 'abort')
      await cluster.transact(`${topic}-y`, topic, ['committed'], 'commit')
      const source = await open()
      await pollUntil([source], () => source.batches.at(-1)?.nextOffset === 6, 'the end')
      assert.deepEqual(valuesOf(source), ['plain', 'committed'])
      assert.equal((await source.source.resolveStart(topic, { position: 'Latest' })).get(0), 6)
      assert.deepEqual(source.source.lags().get(`${topic}-0`), { endOffset: 6, logStart: 0, position: 6 })
    }
  )

  law('create times are kept', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, ['a'], 'none', 1_700_000_000_123)
    const source = await open()
    await pollUntil([source], () => source.records.length === 1, 'the record')
    assert.equal(source.records[0]?.timestampMs, 1_700_000_000_123)
  })
}
