import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { batchOf, type PartOptions } from '../../conformance/batches.ts'
import { s3Harness } from '../../fakes/s3-sink-harness.ts'
import { need } from '../../servers/need.ts'
import { s3Location } from '../delta/s3-location.ts'

test('names that paths escape, of hidden topics and of patterns, go to a real store and back', need('s3'), async () => {
  const { location, options, readSecret } = await s3Location()
  const store = await openObjectStore(location, options, readSecret)
  const harness = s3Harness(store, { settings: { layout: 'Glob', path: 'a={topic}/{topic}' } })
  const { sink } = harness.process()
  await sink.open()
  const of = (topic: string, part: PartOptions) => {
    const { parts, ...batch } = batchOf(harness.plan, [part])
    return { ...batch, parts: parts.map(each => ({ ...each, partition: { ...each.partition, topic } })) }
  }
  const topics = ['_x.y', '..', '~shop', 'a b+c%2F']
  for (const topic of topics) {
    const staged = await sink.stage(of(topic, { from: 0, to: 2, expected: undefined }))
    assert.equal((await sink.commit([staged])).status, 'committed', topic)
  }
  assert.equal((await harness.rows()).length, 2 * topics.length)
  const { offsets } = await sink.recover(topics)
  assert.deepEqual(
    topics.map(topic => offsets.get(`${topic}-0`)?.nextOffset),
    topics.map(() => 2)
  )
  await sink.close()
  await store.close()
})
