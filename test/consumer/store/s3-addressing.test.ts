import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeS3, storeAt } from './fake-s3.ts'
import { resolveLocalhost } from './localhost.ts'

test('buckets are addressed by path, or by host', async context => {
  resolveLocalhost(context)
  const s3 = await fakeS3(context)
  const { port } = new URL(s3.endpoint)
  const endpoint = `http://localhost:${port}`
  for (const forcePathStyle of [true, false]) {
    const store = await storeAt(context, endpoint, { forcePathStyle })
    const path = `topic=a+b/dt=2026-11-21/ü ${forcePathStyle}`
    await store.put(path, [Buffer.from('rows')])
    assert.equal((await store.get(path))?.toString(), 'rows')
    const { host, path: asked } = s3.requests.at(-1) ?? {}
    assert.deepEqual(
      [host, asked],
      forcePathStyle ? [`localhost:${port}`, `/lake/raw/${path}`] : [`lake.localhost:${port}`, `/raw/${path}`]
    )
  }
})
