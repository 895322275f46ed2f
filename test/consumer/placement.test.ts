import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TableOffset } from '../../consumer/partition.ts'
import { place } from '../../consumer/placement.ts'
import type { Recovered } from '../../consumer/sink.ts'

const PARTITION = { topic: 'orders', topicId: 'new', partition: 1 }

function recovered(topicId: string | undefined, epoch: number, offset?: TableOffset): Recovered {
  return {
    columns: [],
    topics: new Map(topicId === undefined ? [] : [['orders', { topicId, epoch }]]),
    offsets: new Map(offset === undefined ? [] : [['orders-1', offset]])
  }
}

test('a partition the table knows resumes where the table stands', () => {
  const offset = { topicId: 'new', epoch: 2, nextOffset: 7 }
  assert.deepEqual(place(PARTITION, recovered('new', 2, offset), false), { kind: 'resume', offset })
})

test('a topic the table never held starts where startFrom says', () => {
  assert.deepEqual(place(PARTITION, recovered(undefined, 0), false), { kind: 'start' })
})

test('a topic of a pattern that appeared after the table began is later', () => {
  assert.deepEqual(place(PARTITION, recovered(undefined, 0), true), { kind: 'later', epoch: 0 })
})

test('a partition added to a known topic is later, in the topic’s epoch', () => {
  assert.deepEqual(place(PARTITION, recovered('new', 3), false), { kind: 'later', epoch: 3 })
})

test('another topic id means the topic was created anew: the next epoch', () => {
  const known = { topicId: 'old', epoch: 0, nextOffset: 7 }
  assert.deepEqual(place(PARTITION, recovered('old', 0, known), false), { kind: 'recreated', epoch: 1, known })
})

test('a broker without topic ids is taken at its offsets', () => {
  const known = { topicId: 'old', epoch: 0, nextOffset: 7 }
  const placement = place({ ...PARTITION, topicId: '' }, recovered('old', 0, known), false)
  assert.deepEqual(placement, { kind: 'resume', offset: known })
})
