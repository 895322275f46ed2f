import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Txn } from '../../../../consumer/sinks/delta/actions.ts'
import {
  markerAppId,
  markersIn,
  movedPartitions,
  offsetAppId,
  offsetsIn,
  recoverOffsets
} from '../../../../consumer/sinks/delta/offsets.ts'
import { formatKey, mergeRanges, parseKey } from '../../../../consumer/sinks/offset-key.ts'

const txns = (entries: Readonly<Record<string, number | bigint>>, lastUpdated = 1): ReadonlyMap<string, Txn> =>
  new Map(Object.entries(entries).map(([appId, version]) => [appId, { appId, version, lastUpdated }]))

const range = (partition: number, expectedOffset: number | undefined, nextOffset: number) => ({
  topic: 'orders',
  topicId: 'id',
  partition,
  epoch: 0,
  expectedOffset,
  nextOffset,
  records: 0,
  deadLetters: 0
})

test('a key survives its text, and nothing else is taken for one', () => {
  for (const key of [
    { topic: 'orders.eu-1_x', topicId: 'aZ-_09', epoch: 0, partition: 0 },
    { topic: '~pattern', topicId: '', epoch: 12, partition: 4095 }
  ]) {
    assert.deepEqual(parseKey(formatKey(key)), key)
  }
  for (const text of [
    '',
    'orders',
    'orders:id:0',
    'orders:id:0:1:2',
    ':id:0:1',
    'orders:id:00:1',
    'orders:id:-1:1',
    'orders:id:0:1x',
    'orders:id:0:99999999999999999999'
  ]) {
    assert.equal(parseKey(text), undefined, text)
  }
})

test('only our transactions are offsets or markers', () => {
  const held = txns({
    'bronze:orders:id:0:1': 5,
    [markerAppId('f2b7c5f0-0000-4000-8000-000000000001', 'orders:id:0:1')]: 9,
    'bronze:orders': 1,
    'bronze-dlq:orders:id:0:1': 1,
    'spark-stream': 7
  })
  assert.deepEqual(
    offsetsIn(held).map(([key, { version }]) => [key.partition, version]),
    [[1, 5]]
  )
  assert.deepEqual(
    markersIn(held).map(([key, { version }]) => [formatKey(key), version]),
    [['orders:id:0:1', 9]]
  )
})

test('recovery takes the newest epoch of each partition and the newest incarnation of the topic', () => {
  const held = txns({
    'bronze:orders:old:0:0': 100,
    'bronze:orders:old:0:1': 50,
    'bronze:orders:new:1:0': 3,
    'bronze:other:x:0:0': 9
  })
  const { offsets, topics } = recoverOffsets(held, ['orders', 'absent'])
  assert.deepEqual(
    [...offsets],
    [
      ['orders-0', { topicId: 'new', epoch: 1, nextOffset: 3 }],
      ['orders-1', { topicId: 'old', epoch: 0, nextOffset: 50 }]
    ]
  )
  assert.deepEqual([...topics], [['orders', { topicId: 'new', epoch: 1 }]])
})

test('within an epoch a key with a topic id follows the one without, whatever their times', () => {
  const held = new Map([...txns({ 'bronze:orders:id:0:0': 100 }, 1), ...txns({ 'bronze:orders::0:0': 100 }, 2)])
  assert.equal(recoverOffsets(held, ['orders']).offsets.get('orders-0')?.topicId, 'id')
})

test('staged batches that follow each other are one range, others are a defect', () => {
  const merged = mergeRanges([range(0, 5, 9), range(1, undefined, 2), range(0, 9, 12)])
  assert.deepEqual(
    [...merged.values()],
    [
      { id: 'orders-0', expected: 5, next: 12 },
      { id: 'orders-1', expected: undefined, next: 2 }
    ]
  )
  assert.throws(() => mergeRanges([range(0, 5, 9), range(0, 8, 12)]), /follow each other/)
  assert.throws(() => mergeRanges([range(0, 5, 4)]), /never goes back/)
})

test('a partition has moved when the table holds more, less, something or nothing else than expected', () => {
  const held = txns({ [offsetAppId('orders:id:0:0')]: 7 })
  const moved = (expected: number | undefined, partition = 0) =>
    movedPartitions(mergeRanges([range(partition, expected, 10)]), held).partitions
  assert.deepEqual(moved(7), [])
  assert.deepEqual(moved(undefined, 1), [])
  for (const expected of [6, 8, undefined]) assert.deepEqual(moved(expected), ['orders-0'])
  assert.deepEqual(moved(0, 1), ['orders-1'])
})
