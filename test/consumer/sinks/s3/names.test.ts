import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  commitPath,
  isCommitPath,
  isSafePath,
  isTableName,
  objectName,
  pathSegment,
  stagedPath,
  tableFolder,
  tableObjectNumber,
  tableObjectPath
} from '../../../../consumer/sinks/s3/names.ts'
import { FatalError } from '../../../../lib/errors.ts'

const KEY = { topic: 'orders', topicId: 'bm90LWEtcmVhbC10b3BpYy1pZA', epoch: 0, partition: 3 }

test('the name of a commit is a function of its key and what it expects alone, and "none" is not 0', () => {
  const folder = 'bronze/orders/_bronze/commits/orders/bm90LWEtcmVhbC10b3BpYy1pZA/3/'
  assert.equal(commitPath('bronze.orders', KEY, undefined), `${folder}9007199254740991-none.json`)
  assert.equal(commitPath('bronze.orders', KEY, 0), `${folder}9007199254740990-0.json`)
  assert.equal(commitPath('bronze.orders', KEY, 41), `${folder}9007199254740949-41.json`)
  assert.notEqual(objectName(KEY, undefined), objectName(KEY, 0))
})

test('the newest commit of a key lists first, whatever the number of its digits', () => {
  const offsets = [undefined, 0, 9, 10, 99, 100, 12_345, 999_999, 1_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER - 1]
  const paths = offsets.map(offset => commitPath('t', KEY, offset))
  assert.deepEqual(paths.toSorted(), paths.toReversed())
  assert.deepEqual(paths.filter(isCommitPath), paths)
})

test('incarnations of a topic have folders and names of their own', () => {
  const keys = [
    KEY,
    { ...KEY, epoch: 1 },
    { ...KEY, epoch: 12 },
    { ...KEY, topicId: '' },
    { ...KEY, topicId: '', epoch: 1 },
    { ...KEY, topicId: 'bm90LWEtcmVhbC10b3BpYy1pZA-1' },
    { ...KEY, topicId: 'bm90LWEtcmVhbC10b3BpYy1pZA.1' }
  ]
  assert.equal(new Set(keys.map(key => commitPath('t', key, 5))).size, keys.length)
  assert.equal(new Set(keys.map(key => objectName(key, 5))).size, keys.length)
})

for (const [text, segment] of [
  ['orders', 'orders'],
  ['a.b_c-D', 'a.b_c-D'],
  ['_hidden', '%5Fhidden'],
  ['.', '%2E'],
  ['..', '%2E.'],
  ['../../etc', '%2E.%2F..%2Fetc'],
  ['~entry', '%7Eentry'],
  ['a+b c%', 'a%2Bb%20c%25'],
  ['ü\ud800', '%C3%BC%EF%BF%BD']
] as const) {
  test(`${JSON.stringify(text)} is ${segment} in a path`, () => assert.equal(pathSegment(text), segment))
}

test('a staged object has no suffix that a reader looks for', () => {
  assert.equal(stagedPath('a.b', 'c-1'), 'a/b/_bronze/staged/c-1.staged')
})

test('what a table is has numbers, newest first', () => {
  const paths = [0, 1, 9, 10].map(number => tableObjectPath('a.b', number))
  assert.equal(paths[0], 'a/b/_bronze/table/9007199254740991-0.json')
  assert.deepEqual(paths.toSorted(), paths.toReversed())
  assert.deepEqual(paths.map(tableObjectNumber), [0, 1, 9, 10])
  assert.equal(tableObjectNumber('a/b/_bronze/table/readme.txt'), undefined)
})

for (const name of ['', 'a..b', 'a/b', '../a', 'a._bronze', '_bronze.a', 'a b', '.a', 'ä']) {
  test(`${JSON.stringify(name)} is no table's name`, () => {
    assert.equal(isTableName(name), false)
    assert.throws(
      () => tableFolder(name),
      (error: unknown) => error instanceof FatalError && error.reason === 'InvalidTableName'
    )
  })
}

test('a path with a segment that leads elsewhere is not safe', () => {
  for (const path of ['a/../b', '/a', 'a//b', './a', 'a/', 'a/..', '..']) assert.equal(isSafePath(path), false, path)
  assert.equal(isSafePath('a/b=..c/d.parquet'), true)
})
