import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { S3Store } from '../../../consumer/store/s3.ts'
import { RetryableError } from '../../../lib/errors.ts'
import { serveHttp } from '../../fakes/http-server.ts'

/** A store behind something that answers all requests alike. */
async function behind(context: TestContext, status: number, body: string): Promise<S3Store> {
  const endpoint = await serveHttp(context, (request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'text/html' }).end(body))
  })
  const options = { endpoint, region: 'us-east-1', forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined }
  const use = { field: 'spec.sink.iceberg', isConditional: false }
  const store = await S3Store.open('lake', '', options, async () => 'secret', use)
  context.after(() => store.close())
  return store
}

const first = async (store: S3Store) => await store.list('')[Symbol.asyncIterator]().next()

for (const page of ['<html><body>Please sign in.</body></html>', '']) {
  const what = page === '' ? 'nothing' : 'a page'

  test(`a proxy that answers 200 with ${what} has stored, read and listed nothing`, async context => {
    const store = await behind(context, 200, page)
    await assert.rejects(store.put('a', [Buffer.from('rows')]), RetryableError)
    await assert.rejects(store.put('b', [Buffer.alloc(9 * 2 ** 20)]), RetryableError)
    await assert.rejects(store.putIfAbsent('c', [Buffer.from('rows')]), RetryableError)
    await assert.rejects(store.get('a'), RetryableError)
    await assert.rejects(first(store), RetryableError)
  })

  test(`a proxy that answers 404 with ${what} does not know what is absent`, async context => {
    const store = await behind(context, 404, page)
    await assert.rejects(store.get('a'), RetryableError)
    await assert.rejects(store.size('a'), RetryableError)
    await assert.rejects(first(store), RetryableError)
  })
}

test('what the store itself says is absent is absent', async context => {
  const store = await behind(
    context,
    404,
    '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>no</Message></Error>'
  )
  assert.equal(await store.get('a'), undefined)
  assert.equal(await store.size('a'), undefined)
  await store.delete('a')
})
