import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { fakeS3, storeAt } from './fake-s3.ts'

const PROBE = '/lake/raw/_bronze/put-if-absent-probe'

test('who only reads writes nothing', async context => {
  const s3 = await fakeS3(context)
  const store = await storeAt(context, s3.endpoint, {}, true)
  assert.equal(await store.get('a'), undefined)
  assert.equal(await store.getRange('a', 0, 10), undefined)
  assert.equal(await store.size('a'), undefined)
  assert.ok(s3.requests.every(({ what }) => what === 'GET' || what === 'HEAD'))
})

for (const [what, write] of [
  ['put', async store => await store.put('a', [Buffer.from('rows')])],
  ['put-if-absent', async store => await store.putIfAbsent('a', [Buffer.from('{}')])],
  ['copy', async store => await store.copy('a', 'b')],
  ['delete', async store => await store.delete('a')]
] as const satisfies readonly (readonly [string, (store: Awaited<ReturnType<typeof storeAt>>) => Promise<unknown>])[]) {
  test(`the first write proves that what is there is kept, once: ${what}`, async context => {
    const s3 = await fakeS3(context)
    const store = await storeAt(context, s3.endpoint, {}, true)
    await Promise.all([write(store), write(store)])
    await write(store)
    const probes = s3.requests.filter(({ path }) => path === PROBE)
    assert.equal(probes.length, 2)
    assert.deepEqual(s3.requests.slice(0, 2), probes)
    assert.ok(s3.requests.length > 2)
  })
}

test('a wrong key is told from a missing right, also where the answer to HEAD has no words', async context => {
  const s3 = await fakeS3(context)
  s3.refuse = () => ({ status: 403, code: 'SignatureDoesNotMatch', message: 'The signature does not match' })
  const store = await storeAt(context, s3.endpoint, {}, true)
  await assert.rejects(
    store.size('a'),
    (error: unknown) => error instanceof FatalError && error.reason === 'S3SignatureDoesNotMatch'
  )
})
