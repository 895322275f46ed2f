import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCommit, parseCommit, type CommitObject } from '../../../../consumer/sinks/s3/commit-object.ts'
import { commitPath } from '../../../../consumer/sinks/s3/names.ts'
import { FatalError } from '../../../../lib/errors.ts'

const TABLE = 'bronze.orders'
const COMMIT: CommitObject = {
  key: { topic: 'orders', topicId: 'id', epoch: 0, partition: 3 },
  expected: 5,
  next: 9,
  commitIds: ['a'],
  committedMs: Date.UTC(2026, 10, 21, 10),
  author: { pipeline: 'test/orders', createdAt: '2026-01-01T00:00:00Z', consumerId: 'orders-0' },
  objects: [{ path: 'bronze/orders/topic=orders/x.parquet', rows: 3, bytes: 100 }],
  deadLetters: [
    {
      table: 'bronze.dlq_orders',
      path: 'bronze/dlq_orders/topic=orders/x.parquet',
      rows: 1,
      bytes: 50,
      staged: 'bronze/orders/_bronze/staged/a.staged'
    }
  ]
}
const PATH = commitPath(TABLE, COMMIT.key, COMMIT.expected)

test('a commit object is read as it was written', () => {
  for (const commit of [
    COMMIT,
    { ...COMMIT, objects: [], deadLetters: [], author: { ...COMMIT.author, createdAt: undefined } },
    { ...COMMIT, expected: undefined, next: 0 },
    { ...COMMIT, key: { topic: '~entry', topicId: '', epoch: 2, partition: 0 } }
  ]) {
    const path = commitPath(TABLE, commit.key, commit.expected)
    assert.deepEqual(parseCommit(formatCommit(commit), TABLE, path), commit)
  }
})

test('a commit object is what the document says', () => {
  assert.deepEqual(JSON.parse(String(formatCommit(COMMIT))), {
    version: 1,
    topic: 'orders',
    topicId: 'id',
    epoch: 0,
    partition: 3,
    expected: 5,
    next: 9,
    commitIds: ['a'],
    committedAt: '2026-11-21T10:00:00.000Z',
    author: COMMIT.author,
    records: 3,
    objects: COMMIT.objects,
    deadLetters: COMMIT.deadLetters
  })
})

const good = JSON.parse(String(formatCommit(COMMIT))) as Record<string, unknown>
const object = (changes: object) => ({ ...COMMIT.objects[0], ...changes })
const letter = (changes: object) => ({ ...COMMIT.deadLetters[0], ...changes })

for (const [what, changes, reason] of [
  ['a newer version', { version: 2 }, 'UnsupportedFormat'],
  ['no version', { version: undefined }, 'UnsupportedFormat'],
  ['another topic than its path', { topic: 'other' }, 'TableDamaged'],
  ['another partition than its path', { partition: 4 }, 'TableDamaged'],
  ['another expectation than its path', { expected: 6 }, 'TableDamaged'],
  ['an expectation of none where its path says 5', { expected: null }, 'TableDamaged'],
  ['a next offset below what it expects', { next: 4 }, 'TableDamaged'],
  ['a next offset that is no integer', { next: 9.5 }, 'TableDamaged'],
  ['a next offset beyond exact numbers', { next: 2 ** 53 }, 'TableDamaged'],
  ['a next offset in words', { next: '9' }, 'TableDamaged'],
  ['no commit ids', { commitIds: [] }, 'TableDamaged'],
  ['a commit id that is no text', { commitIds: [{}] }, 'TableDamaged'],
  ['no time', { committedAt: 'soon' }, 'TableDamaged'],
  ['no author', { author: null }, 'TableDamaged'],
  ['objects that are no list', { objects: {} }, 'TableDamaged'],
  ['an object of nothing', { objects: [null] }, 'TableDamaged'],
  ['an object of another table', { objects: [object({ path: 'bronze/other/x.parquet' })] }, 'TableDamaged'],
  ['an object outside by dots', { objects: [object({ path: 'bronze/orders/../../x' })] }, 'TableDamaged'],
  ['an object among our own', { objects: [object({ path: PATH })] }, 'TableDamaged'],
  ['an object with negative rows', { objects: [object({ rows: -1 })] }, 'TableDamaged'],
  ['an object staged elsewhere', { objects: [object({ staged: 'bronze/orders/x.parquet' })] }, 'TableDamaged'],
  [
    'an object staged outside by dots',
    { objects: [object({ staged: 'bronze/orders/_bronze/staged/../commits/x' })] },
    'TableDamaged'
  ],
  ['dead letters of a table that is none', { deadLetters: [letter({ table: '../x' })] }, 'TableDamaged'],
  ['dead letters in another folder than their table', { deadLetters: [letter({ table: 'x' })] }, 'TableDamaged'],
  ['dead letters without a list', { deadLetters: 'none' }, 'TableDamaged']
] as const) {
  test(`a commit object with ${what} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify({ ...good, ...changes }))
    assert.throws(
      () => parseCommit(bytes, TABLE, PATH),
      (error: unknown) => error instanceof FatalError && error.reason === reason && error.message.includes(PATH)
    )
  })
}

test('bytes that are no JSON object are refused', () => {
  for (const text of ['', '{', '[]', '1', 'null', '"{}"']) {
    assert.throws(
      () => parseCommit(Buffer.from(text), TABLE, PATH),
      (error: unknown) => error instanceof FatalError && error.reason === 'TableDamaged'
    )
  }
})
