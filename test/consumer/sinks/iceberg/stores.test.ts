import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TableFiles } from '../../../../consumer/sinks/iceberg/stores.ts'
import { RetryableError } from '../../../../lib/errors.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

test('files of several buckets lie in as many stores, each opened once', async () => {
  const stores = new Map<string, MemoryStore>()
  const files = new TableFiles(async root => {
    assert.ok(!stores.has(root))
    stores.set(root, new MemoryStore())
    return stores.get(root) as MemoryStore
  })
  await Promise.all([files.put('s3://a/x', [Buffer.from('1')]), files.put('s3a://a/y', [Buffer.from('2')])])
  await files.put('s3://b/x', [Buffer.from('3')])
  assert.deepEqual([...stores.keys()], ['s3://a', 's3://b'])
  assert.equal(String(await files.get('s3://a/y')), '2')
  assert.equal(await files.exists('s3://b/y'), false)
  await files.delete('s3://a/x')
  assert.equal(await files.get('s3://a/x'), undefined)
  await files.close()
})

test('a store that could not be opened is opened anew', async () => {
  let isAway = true
  const files = new TableFiles(async () => {
    if (isAway) throw new RetryableError('Away', 'away')
    return new MemoryStore()
  })
  await assert.rejects(files.put('file:///x', []), RetryableError)
  isAway = false
  await files.put('file:///x', [])
  assert.equal(await files.exists('file:///x'), true)
})
