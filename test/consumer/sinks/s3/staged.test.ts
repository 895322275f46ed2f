import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitsOf, type StagedObject } from '../../../../consumer/sinks/s3/staged.ts'
import type { Staged, StagedRange } from '../../../../consumer/sink.ts'

const AUTHOR = { pipeline: 'test/a', createdAt: undefined, consumerId: 'a-0' }
const NOW_MS = Date.UTC(2026, 10, 21)

const range = (partition: number, expectedOffset: number | undefined, nextOffset: number): StagedRange => ({
  topic: 'orders',
  topicId: 'id',
  epoch: 0,
  partition,
  expectedOffset,
  nextOffset,
  records: 1,
  deadLetters: 0
})
const object = (partition: number, path: string, more: Partial<StagedObject> = {}): StagedObject => ({
  key: `orders:id:0:${partition}`,
  table: 't',
  isDeadLetters: false,
  path,
  goal: { folder: 't/', suffix: '.parquet' },
  rows: 1,
  bytes: 10,
  ...more
})
const staged = (commitId: string, ranges: readonly StagedRange[], objects: readonly StagedObject[]): Staged => ({
  commitId,
  takenAtMs: 0,
  ranges,
  files: { objects }
})

test('batches that continue each other are one commit per key, whose names follow from where the first one begins', () => {
  const dead = { table: 'dlq_t', isDeadLetters: true, goal: { folder: 'dlq_t/', suffix: '.parquet' } }
  const [zero, one, ...others] = commitsOf(
    [
      staged('a', [range(0, 5, 7)], [object(0, 's/1'), object(0, 's/2')]),
      staged(
        'b',
        [range(0, 7, 9), range(1, undefined, 2)],
        [object(0, 's/3'), object(0, 's/4', dead), object(1, 's/5')]
      )
    ],
    AUTHOR,
    NOW_MS
  )
  assert.deepEqual(others, [])
  assert.deepEqual([zero?.expected, zero?.next, zero?.commitIds], [5, 9, ['a', 'b']])
  const named = zero?.objects.map(({ path, staged: from }) => [path.replace(/\+[0-9a-f]{8}(?=[+.])/, ''), from])
  assert.deepEqual(named, [
    ['t/orders+0+0000000000000005.parquet', 's/1'],
    ['t/orders+0+0000000000000005+1.parquet', 's/2'],
    ['t/orders+0+0000000000000005+2.parquet', 's/3']
  ])
  assert.deepEqual(
    zero?.deadLetters.map(({ path, table }) => [path.replace(/\+[0-9a-f]{8}(?=[+.])/, ''), table]),
    [['dlq_t/orders+0+0000000000000005.parquet', 'dlq_t']]
  )
  assert.deepEqual([one?.expected, one?.next, one?.commitIds], [undefined, 2, ['b']])
  assert.deepEqual([zero?.committedMs, one?.committedMs], [NOW_MS, NOW_MS])
})

test('objects that have their names already keep them', () => {
  const [commit] = commitsOf([staged('a', [range(0, 5, 7)], [object(0, 't/x', { goal: undefined })])], AUTHOR, NOW_MS)
  assert.deepEqual(commit?.objects, [{ path: 't/x', rows: 1, bytes: 10 }])
})

test('a key that does not move has no commit; one that moves from nothing to offset 0 has', () => {
  const commits = commitsOf([staged('a', [range(0, 5, 5), range(1, undefined, 0), range(2, 5, 6)], [])], AUTHOR, NOW_MS)
  assert.deepEqual(
    commits.map(({ key, next }) => [key.partition, next]),
    [
      [1, 0],
      [2, 6]
    ]
  )
})
