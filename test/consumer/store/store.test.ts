import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { FileStore } from '../../../consumer/store/file.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { under } from '../../../consumer/store/under.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { testStore } from '../../conformance/store.ts'
import { MemoryStore } from '../../fakes/object-store.ts'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'bronze-store-'))
  return { path, close: async () => await rm(path, { recursive: true, force: true }) }
}

testStore('memory', async () => ({ store: new MemoryStore(), close: async () => {} }))

testStore('part of a store', async () => ({ store: under(new MemoryStore(), 'some/where/'), close: async () => {} }))

testStore('files', async () => {
  const { path, close } = await folder()
  return { store: new FileStore(path), close }
})

test('files: nothing half-written is left, nor listed', async () => {
  const { path, close } = await folder()
  const store = new FileStore(path)
  await store.putIfAbsent('log/0.json', [Buffer.from('a')])
  await store.putIfAbsent('log/0.json', [Buffer.from('b')])
  await store.put('log/x', [Buffer.from('c')])
  assert.deepEqual((await readdir(join(path, 'log'))).sort(), ['0.json', 'x'])
  await close()
})

test('files: a place that cannot be written names the field', async () => {
  const { path, close } = await folder()
  const store = new FileStore(path)
  await store.put('a', [Buffer.from('a file, not a folder')])
  await assert.rejects(store.put('a/b', [Buffer.from('b')]), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.match(error.message, /spec\.sink\.delta\.location/)
    return true
  })
  await close()
})

test(
  'files: where no folder can be made is trouble, not an endless try',
  { skip: process.platform !== 'linux' },
  async () => {
    const store = new FileStore('/proc/bronze/tables')
    await assert.rejects(
      store.putIfAbsent('a/b', [Buffer.from('b')]),
      (error: unknown) => error instanceof RetryableError && error.code === 'FileSystemTrouble'
    )
  }
)

test('a location is s3:// or file:///, and anything else is refused by its field', async () => {
  const { path, close } = await folder()
  const store = await openObjectStore(pathToFileURL(path).href, undefined, async () => undefined)
  await store.put('a', [Buffer.from('a')])
  assert.deepEqual(await readdir(path), ['a'])
  await assert.rejects(
    openObjectStore('gs://bucket', undefined, async () => undefined),
    /spec\.sink\.delta\.location/
  )
  await close()
})
