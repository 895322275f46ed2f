import assert from 'node:assert/strict'
import { test, type TestOptions } from 'node:test'
import type { ObjectStore } from '../../consumer/store/object-store.ts'

const bytes = (text: string): readonly Uint8Array[] => [Buffer.from(text)]

async function listed(
  store: ObjectStore,
  prefix: string,
  startAfter?: string,
  limit?: number
): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const { path } of store.list(prefix, startAfter, limit)) paths.push(path)
  return paths
}

/** What every `ObjectStore` promises. `open` gives an empty one. */
export function testStore(
  name: string,
  open: () => Promise<{ readonly store: ObjectStore; readonly close: () => Promise<void> }>,
  options: TestOptions = {}
): void {
  const law = (what: string, prove: (store: ObjectStore) => Promise<void>): void => {
    test(`${name}: ${what}`, options, async () => {
      const { store, close } = await open()
      try {
        await prove(store)
      } finally {
        await store.close()
        await close()
      }
    })
  }

  law('an object that is absent is undefined, not an error', async store => {
    assert.equal(await store.get('a/b'), undefined)
    assert.equal(await store.getRange('a/b', 0, 10), undefined)
    assert.equal(await store.getRange('a/b', 0, 0), undefined)
    assert.equal(await store.size('a/b'), undefined)
    assert.deepEqual(await listed(store, 'a/'), [])
    await store.delete('a/b')
  })

  law('what was put is read back, whole and in ranges', async store => {
    await store.put('a/b c/ü=1', [...bytes('hello '), ...bytes('world')])
    assert.equal((await store.get('a/b c/ü=1'))?.toString(), 'hello world')
    assert.equal((await store.getRange('a/b c/ü=1', 6, 9))?.toString(), 'wor')
    assert.equal((await store.getRange('a/b c/ü=1', 6, 99))?.toString(), 'world')
    assert.equal((await store.getRange('a/b c/ü=1', 40, 50))?.toString(), '')
    assert.equal((await store.getRange('a/b c/ü=1', 3, 3))?.toString(), '')
    assert.equal(await store.size('a/b c/ü=1'), 11)
    await store.put('a/b c/ü=1', bytes('again'))
    assert.equal((await store.get('a/b c/ü=1'))?.toString(), 'again')
    await store.put('empty', [])
    assert.equal(await store.size('empty'), 0)
    await store.delete('a/b c/ü=1')
    assert.equal(await store.get('a/b c/ü=1'), undefined)
  })

  law('a large object is put from a stream, and not at all when the stream fails', async store => {
    const chunk = Buffer.alloc(1_500_000, 7)
    const stream = async function* (fails: boolean) {
      for (let index = 0; index < 12; index++) yield chunk
      if (fails) throw new RangeError('the stream ends early')
    }
    await store.put('large', stream(false))
    assert.equal(await store.size('large'), 12 * chunk.length)
    assert.deepEqual(await store.getRange('large', 8_388_600, 8_388_620), Buffer.alloc(20, 7))
    await assert.rejects(store.put('torn', stream(true)), RangeError)
    assert.equal(await store.size('torn'), undefined)
  })

  law('put-if-absent keeps what is there', async store => {
    assert.equal(await store.putIfAbsent('log/0.json', bytes('first')), 'created')
    assert.equal(await store.putIfAbsent('log/0.json', bytes('second')), 'exists')
    assert.equal((await store.get('log/0.json'))?.toString(), 'first')
  })

  law('of many put-if-absent at once one wins, and its bytes stay', async store => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => await putUntilTold(store, `log/1.json`, `${index}`))
    )
    const winners = answers.flatMap((answer, index) => (answer === 'created' ? [index] : []))
    assert.equal(winners.length, 1)
    assert.equal((await store.get('log/1.json'))?.toString(), String(winners[0]))
  })

  law('a copy has the bytes of its source, over what was there, and outlives it', async store => {
    await store.put('staged/a b+ü=%41?#', bytes('first'))
    assert.equal(await store.copy('staged/a b+ü=%41?#', 'final/x+0=ü'), true)
    assert.equal((await store.get('final/x+0=ü'))?.toString(), 'first')
    // Again, as after an answer that was lost.
    assert.equal(await store.copy('staged/a b+ü=%41?#', 'final/x+0=ü'), true)
    await store.put('staged/a b+ü=%41?#', bytes('second'))
    assert.equal((await store.get('final/x+0=ü'))?.toString(), 'first')
    assert.equal(await store.copy('staged/a b+ü=%41?#', 'final/x+0=ü'), true)
    await store.delete('staged/a b+ü=%41?#')
    assert.equal((await store.get('final/x+0=ü'))?.toString(), 'second')
    assert.deepEqual(await listed(store, 'final/'), ['final/x+0=ü'])
    assert.deepEqual(await listed(store, 'staged/'), [])
  })

  law('a copy of what is absent is none, and leaves what is there', async store => {
    await store.put('there', bytes('kept'))
    assert.equal(await store.copy('absent', 'there'), false)
    assert.equal(await store.copy('absent/too', 'new/there'), false)
    assert.equal((await store.get('there'))?.toString(), 'kept')
    assert.deepEqual(await listed(store, 'there'), ['there'])
    assert.deepEqual(await listed(store, 'new/'), [])
  })

  law('listing is in order of names, below a prefix, after a name', async store => {
    for (const path of ['t/b', 't/a/2', 't/a/1', 't/a-', 't/a0', 'u/x', 't/a/ü']) await store.put(path, bytes(path))
    assert.deepEqual(await listed(store, 't/'), ['t/a-', 't/a/1', 't/a/2', 't/a/ü', 't/a0', 't/b'])
    assert.deepEqual(await listed(store, 't/a/'), ['t/a/1', 't/a/2', 't/a/ü'])
    assert.deepEqual(await listed(store, 't/a/', 't/a/1'), ['t/a/2', 't/a/ü'])
    assert.deepEqual(await listed(store, 't/', 't/a/'), ['t/a/1', 't/a/2', 't/a/ü', 't/a0', 't/b'])
    assert.deepEqual(await listed(store, 't/a'), ['t/a-', 't/a/1', 't/a/2', 't/a/ü', 't/a0'])
    assert.deepEqual(await listed(store, 't/', 't/a/1', 2), ['t/a/2', 't/a/ü'])
    assert.deepEqual(await listed(store, 't/a/', undefined, 1), ['t/a/1'])
  })

  law('the folders in a folder are told, however deep what they hold', async store => {
    for (const path of ['t/b', 't/a/2', 't/a/c/1', 't/ü/c/d/1', 'u/x']) await store.put(path, bytes(path))
    assert.deepEqual([...(await store.folders('t/'))].sort(), ['a', 'ü'])
    assert.deepEqual([...(await store.folders(''))].filter(name => name !== '_bronze').sort(), ['t', 'u'])
    assert.deepEqual(await store.folders('t/a/c/'), [])
    assert.deepEqual(await store.folders('none/'), [])
  })
}

/** S3 may answer that another conditional write is under way: nothing happened, it is to be tried again. */
async function putUntilTold(store: ObjectStore, path: string, text: string): Promise<'created' | 'exists'> {
  for (;;) {
    try {
      return await store.putIfAbsent(path, bytes(text))
    } catch (error) {
      if ((error as { code?: string }).code !== 'S3Conflict') throw error
    }
  }
}
