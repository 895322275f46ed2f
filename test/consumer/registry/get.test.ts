import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { test } from 'node:test'
import { RetryableError } from '../../../lib/errors.ts'
import { registryGet } from '../../../consumer/registry/get.ts'
import { serveHttp } from '../../fakes/http-server.ts'
import { Authority } from '../../servers/certificates.ts'

const NO_SECRETS = { credentialsSecret: undefined, caSecret: undefined }
const noSecret = () => Promise.resolve(undefined)

/** Answers each path as it says: `/<status>/<body>`. */
const echo: RequestListener = (request, response) => {
  const [, status = '', body = ''] = decodeURIComponent(request.url ?? '').split('/')
  response.writeHead(Number(status), { 'content-type': 'application/json' })
  response.end(body)
}

test('answers are told apart: found, absent by the registry’s own word, refused', async t => {
  const get = registryGet({ url: await serveHttp(t, echo), ...NO_SECRETS }, noSecret)
  assert.deepEqual(await get('/200/{"schema":"x"}'), { kind: 'found', json: { schema: 'x' } })
  assert.deepEqual(await get('/404/{"error_code":40403,"message":"Schema not found"}'), { kind: 'absent' })
  assert.deepEqual(await get('/404/{"error_code":404}'), { kind: 'absent' })
  assert.deepEqual(await get('/404/no such page'), { kind: 'refused', status: 404 })
  assert.deepEqual(await get('/405/{}'), { kind: 'refused', status: 405 })
})

test('what may pass is a code, and never a record’s fault', async t => {
  const url = await serveHttp(t, echo)
  const get = registryGet({ url, ...NO_SECRETS }, noSecret)
  const codes = {
    '/401/{"error_code":401}': 'RegistryUnauthorized',
    '/403/': 'RegistryUnauthorized',
    '/429/{}': 'RegistryUnavailable',
    '/500/{"error_code":50001}': 'RegistryUnavailable',
    '/503/': 'RegistryUnavailable',
    '/200/<html>': 'RegistryMisanswered',
    '/302/': 'RegistryMisanswered'
  }
  for (const [path, code] of Object.entries(codes)) {
    await assert.rejects(get(path), error => error instanceof RetryableError && error.code === code, path)
  }
  const nobody = registryGet({ url: 'http://127.0.0.1:1', ...NO_SECRETS }, noSecret)
  await assert.rejects(nobody('/'), error => error instanceof RetryableError && error.code === 'RegistryUnreachable')
})

test('an answer without end is broken off', async t => {
  const url = await serveHttp(t, (_, response) => {
    const piece = Buffer.alloc(1 << 20, 0x20)
    const more = () => {
      while (!response.destroyed && response.write(piece)) continue
    }
    response.on('drain', more)
    more()
  })
  const get = registryGet({ url, ...NO_SECRETS }, noSecret)
  await assert.rejects(get('/'), error => error instanceof RetryableError && error.code === 'RegistryUnreachable')
})

test('credentials are read anew for each request, paths stand before the API’s, and errors tell no secret', async t => {
  const seen: IncomingMessage[] = []
  const url = await serveHttp(t, (request, response) => {
    seen.push(request)
    response.writeHead(request.url === '/prefix/api/bad' ? 401 : 200).end('{}')
  })
  const secrets: Record<string, string> = { username: 'ann', password: 'first' }
  const readSecret = (name: string, key: string) => Promise.resolve(name === 'registry' ? secrets[key] : undefined)
  const get = registryGet({ url: `${url}/prefix/api`, credentialsSecret: 'registry', caSecret: undefined }, readSecret)
  await get('/schemas/ids/1')
  secrets['password'] = 'second:with colon'
  await get('/schemas/ids/1')
  delete secrets['username']
  secrets['token'] = 'abc'
  await get('/schemas/ids/1')
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  assert.deepEqual(
    seen.map(({ url, headers }) => [url, headers.authorization]),
    [
      ['/prefix/api/schemas/ids/1', basic('ann:first')],
      ['/prefix/api/schemas/ids/1', basic('ann:second:with colon')],
      ['/prefix/api/schemas/ids/1', 'Bearer abc']
    ]
  )
  assert.ok(seen.every(({ headers }) => headers.accept?.includes('application/vnd.schemaregistry.v1+json')))
  await assert.rejects(get('/bad'), error => error instanceof Error && !error.message.includes('abc'))
  delete secrets['token']
  await assert.rejects(
    get('/x'),
    error => error instanceof RetryableError && error.code === 'RegistryCredentialsMissing'
  )
})

test('a registry of a private authority is trusted by the Secret’s ca.crt, and only by it', async t => {
  const authority = new Authority('registry-ca')
  const identity = authority.issue({ commonName: 'registry', usage: 'server', addresses: ['127.0.0.1'] })
  const url = await serveHttp(t, (_, response) => response.end('{"ok":1}'), identity)
  const readSecret = (name: string, key: string) =>
    Promise.resolve(name === 'registry-ca' && key === 'ca.crt' ? authority.cert : undefined)
  const trusting = registryGet({ url, credentialsSecret: undefined, caSecret: 'registry-ca' }, readSecret)
  assert.deepEqual(await trusting('/'), { kind: 'found', json: { ok: 1 } })
  const other = registryGet({ url, ...NO_SECRETS }, readSecret)
  await assert.rejects(other('/'), error => error instanceof RetryableError && error.code === 'RegistryUnreachable')
})
