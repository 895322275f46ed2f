import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AbortedTransactions } from '../../../consumer/source/aborted-transactions.ts'
import { AssignedPartitions } from '../../../consumer/source/assigned-partitions.ts'
import { Cursor } from '../../../consumer/source/cursor.ts'
import type { Chunk } from '../../../consumer/source/fetcher.ts'
import { Handover } from '../../../consumer/source/handover.ts'
import { RecordSet } from '../../../consumer/source/record-set.ts'
import { silentLog } from '../../../lib/log.ts'
import { buildBatch } from './batch-builder.ts'

const PARTITION = { topic: 't', topicId: 'id', partition: 0 }

/** A fetcher that answers each fetch of `cursor` with `set`, from wherever the cursor stands. */
function serving(cursor: Cursor, sets: readonly Buffer[]) {
  const fetches: number[] = []
  const chunks: Chunk[] = []
  const fetch = () => {
    const set = sets[Math.min(fetches.length, sets.length - 1)] ?? Buffer.alloc(0)
    fetches.push(cursor.fetchOffset)
    cursor.pending++
    const records = new RecordSet(PARTITION, set, cursor.fetchOffset, new AbortedTransactions([]))
    chunks.push({ cursor, version: cursor.version, records })
  }
  fetch()
  return {
    fetches,
    handover: new Handover({ take: () => chunks.shift(), wake: fetch, hasData: false }, silentLog)
  }
}

const good = (baseOffset: number, value = 'v') => buildBatch({ baseOffset, records: [{ value }] })
function damaged(baseOffset: number): Buffer {
  const batch = good(baseOffset)
  batch[batch.length - 2] = 0xee
  return batch
}

function sought(offset: number): Cursor {
  const cursor = new Cursor(PARTITION)
  cursor.seek(offset)
  return cursor
}

test('a batch that was damaged on the way is fetched again from its own offset', () => {
  const cursor = sought(0)
  const { fetches, handover } = serving(cursor, [Buffer.concat([good(0), damaged(1)]), good(1)])
  assert.deepEqual(
    handover.take().map(({ kind, nextOffset }) => [kind, nextOffset]),
    [
      ['data', 1],
      ['data', 2]
    ]
  )
  assert.deepEqual(fetches, [0, 1])
  assert.deepEqual([cursor.position, cursor.pending, cursor.checksumFailures], [2, 0, 0])
})

test('a batch that is damaged every time is handed over as corrupt, and reading goes on', () => {
  const { fetches, handover } = serving(sought(5), [Buffer.concat([damaged(5), good(6)])])
  assert.deepEqual(
    handover.take().map(({ kind, nextOffset }) => [kind, nextOffset]),
    [
      ['corrupt', 6],
      ['data', 7]
    ]
  )
  assert.equal(fetches.length, 3)
})

test('what was fetched before a seek is dropped', () => {
  const cursor = sought(0)
  const { handover } = serving(cursor, [good(0)])
  cursor.seek(9)
  assert.deepEqual(handover.take(), [])
  assert.equal(cursor.position, 9)
})

test('a few mebibytes are handed over at a time', () => {
  const large = Array.from({ length: 12 }, (_, offset) => good(offset, 'x'.repeat(1 << 20)))
  const { handover } = serving(sought(0), [Buffer.concat(large)])
  assert.equal(handover.take().length, 4)
  assert.equal(handover.hasData, true)
  assert.equal(handover.take().length + handover.take().length, 8)
  assert.deepEqual(handover.take(), [])
})

test('only differences are told, and what came and went unheard is not', () => {
  const assigned = new AssignedPartitions()
  const known = new Map([['t', 'id']])
  const update = (...partitions: [string, number][]) =>
    assigned.update(
      partitions.map(([topic, partition]) => ({ topic, partition })),
      topic => known.get(topic)
    )
  const changes = () => {
    const { assigned: came, revoked: went } = assigned.takeChanges()
    return [
      came.map(({ topic, partition }) => `+${topic}-${partition}`),
      went.map(({ partition }) => `-${partition}`)
    ].flat()
  }
  update(['t', 0], ['t', 1])
  const kept = assigned.cursors.get('t-1')
  assert.deepEqual(changes(), ['+t-0', '+t-1'])
  update(['t', 1], ['t', 2])
  update(['t', 1])
  assert.deepEqual(changes(), ['-0'])
  assert.equal(assigned.cursors.get('t-1'), kept)
  update(['t', 1], ['unknown', 0])
  assert.equal(assigned.hasChanged, false, 'a topic without a known id waits')
  known.set('unknown', 'new')
  update(['t', 1], ['unknown', 0])
  assert.deepEqual(changes(), ['+unknown-0'])
})
