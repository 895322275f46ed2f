import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorOf,
  findCommit,
  movedPartitions,
  nextState,
  pendingDeadLetters,
  recoverOffsets
} from '../../../../consumer/sinks/iceberg/offsets.ts'
import { EMPTY_STATE, markerKey, type PendingDeadLetters } from '../../../../consumer/sinks/iceberg/state.ts'
import { mergeRanges } from '../../../../consumer/sinks/offset-key.ts'
import { KEY, Lineage, UUID, stateAt } from './lineage.ts'

const range = (expectedOffset: number | undefined, nextOffset: number, epoch = 0) => ({
  topic: 'orders',
  topicId: 'id',
  partition: 0,
  epoch,
  expectedOffset,
  nextOffset,
  records: 0,
  deadLetters: 0
})

test('a commit is fenced unless each of its keys is where it expects it', () => {
  const moved = (expected: number | undefined, held: number | undefined) =>
    movedPartitions(mergeRanges([range(expected, 50)]), held === undefined ? EMPTY_STATE : stateAt(held)).partitions
  assert.deepEqual(moved(10, 10), [])
  assert.deepEqual(moved(undefined, undefined), [])
  for (const [expected, held] of [
    [10, 20],
    [20, 10],
    [undefined, 10],
    [10, undefined]
  ] as const)
    assert.deepEqual(moved(expected, held), ['orders-0'])
})

test('a commit moves its own keys and carries all others, from whatever its parent is', () => {
  const parent = {
    ...stateAt(10),
    offsets: new Map([
      [KEY, 10],
      ['other:x:0:5', 7]
    ])
  }
  const { offsets } = nextState(parent, { ranges: mergeRanges([range(10, 20)]) })
  assert.deepEqual(
    [...offsets],
    [
      [KEY, 20],
      ['other:x:0:5', 7]
    ]
  )
  assert.deepEqual(
    [...recoverOffsets({ ...EMPTY_STATE, offsets }, ['orders']).offsets],
    [['orders-0', { topicId: 'id', epoch: 0, nextOffset: 20 }]]
  )
})

test('a topic that is created anew again and again keeps the offsets of two incarnations', () => {
  let state = EMPTY_STATE
  for (let epoch = 0; epoch < 10; epoch++)
    state = nextState(state, { ranges: mergeRanges([range(undefined, epoch, epoch)]) })
  assert.deepEqual(
    [...state.offsets],
    [
      ['orders:id:8:0', 8],
      ['orders:id:9:0', 9]
    ]
  )
})

test('dead letters are pending until their table has the marker of their commit, and are carried until then', () => {
  const pending = (sequenceNumber: number, key: string): PendingDeadLetters => ({
    sequenceNumber,
    commitIds: [`c${sequenceNumber}`],
    keys: [key],
    table: 'db.dlq_t',
    tableUuid: UUID,
    manifests: []
  })
  const [first, second] = [pending(3, KEY), pending(4, 'orders:id:0:1')]
  let main = nextState(EMPTY_STATE, { deadLetters: [first] })
  main = nextState(main, { deadLetters: [second] })
  assert.deepEqual(pendingDeadLetters(main, UUID, EMPTY_STATE), [first, second])
  const published = nextState(EMPTY_STATE, { markers: new Map([[markerKey(UUID, KEY), 3]]) })
  assert.deepEqual(pendingDeadLetters(main, UUID, published), [second])
  assert.deepEqual(pendingDeadLetters(main, 'another main table', published), [first, second])
  const later = nextState(main, { isPublished: each => !pendingDeadLetters(main, UUID, published).includes(each) })
  assert.deepEqual(later.deadLetters, [second])
})

test('our own commit is found by its id, in main or rolled back', () => {
  const table = new Lineage()
  const first = table.ours(10)
  const second = table.ours(20)
  table.others('replace')
  assert.equal(findCommit(table.metadata, ['c20', 'x']).status, 'in')
  assert.equal(findCommit(table.metadata, ['c2']).status, 'absent')
  table.set(first)
  const found = findCommit(table.metadata, ['c20'])
  assert.equal(found.status === 'rolledBack' && found.snapshot.id, BigInt(second))
})

test('who moved a key is told by the snapshot that changed it, not by the newest one', () => {
  const table = new Lineage()
  const by = (consumer: string) => ({ 'bronze.pipeline': 'ns/p', 'bronze.consumer': consumer })
  table.ours(10, by('a'))
  table.ours(20, by('b'))
  table.ours(20, by('c'))
  assert.equal(authorOf(table.metadata, [KEY])?.consumerId, 'b')
  assert.equal(authorOf(table.metadata, ['orders:id:0:9']), undefined)
})
