import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test, type TestContext } from 'node:test'
import { fakeS3, storeAt } from './fake-s3.ts'

/** Names below localhost are the loopback, as browsers have it. */
function resolveLocalhost(context: TestContext): void {
  const lookup = dns.lookup as (name: string, ...rest: unknown[]) => void
  context.mock.method(dns, 'lookup', (name: string, ...rest: unknown[]) =>
    lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)
  )
}

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
