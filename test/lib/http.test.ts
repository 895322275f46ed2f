import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { HttpConnections, HttpError, fetchText, type HttpTrouble } from '../../lib/http.ts'
import { serveHttp } from '../fakes/http-server.ts'
import { Authority } from '../servers/certificates.ts'

const LIMITS = { timeoutMs: 20_000, maxAnswerBytes: 1 << 20 }
const get = (url: string) => ({ method: 'GET', url, headers: {} }) as const
const isHttpError = (trouble: HttpTrouble, says: RegExp) => (error: unknown) =>
  error instanceof HttpError && error.trouble === trouble && says.test(error.message)

test('what is sent arrives, and any status is an answer', async t => {
  const echo = async (request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request
    response.writeHead(418).end(JSON.stringify({ method, url, own: headers['x-own'], body: await text(request) }))
  }
  const url = await serveHttp(t, (request, response) => void echo(request, response))
  const request = { method: 'POST', url: `${url}/a?b=c`, headers: { 'x-own': '1' }, body: 'é' } as const
  const { status, body } = await fetchText(request, LIMITS)
  assert.equal(status, 418)
  assert.deepEqual(JSON.parse(body), { method: 'POST', url: '/a?b=c', own: '1', body: 'é' })
})

test('a redirect is an answer: it is not followed', async t => {
  const paths: (string | undefined)[] = []
  const url = await serveHttp(t, (request, response) => {
    paths.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  assert.equal((await fetchText(get(`${url}/here`), LIMITS)).status, 302)
  assert.deepEqual(paths, ['/here'])
})

test('a compressed answer is read, and its limit is that of the text', async t => {
  const url = await serveHttp(t, (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)))
  })
  assert.equal((await fetchText(get(url), LIMITS)).body.length, 100_000)
  await assert.rejects(
    fetchText(get(url), { ...LIMITS, maxAnswerBytes: 99_999 }),
    isHttpError('TooLong', /longer than 99999 bytes/)
  )
})

test('an answer that never ends, is cut off, does not come, or is nobody’s is told with the server’s name', async t => {
  const url = await serveHttp(t, (request, response) => {
    if (request.url === '/silent') return
    response.writeHead(200, request.url === '/cut' ? { 'content-encoding': 'gzip' } : {})
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) continue
    }
    if (request.url === '/endless') response.on('drain', more)
    if (request.url === '/endless') more()
    else response.write(gzipSync('x'.repeat(1000)).subarray(0, 12), () => response.destroy())
  })
  const fetched = async (path: string, options = LIMITS) => await fetchText(get(url + path), options)
  await assert.rejects(fetched('/endless'), isHttpError('TooLong', /^http:\/\/127\.0\.0\.1:\d+: the answer is longer/))
  await assert.rejects(fetched('/cut'), isHttpError('Unreachable', /127\.0\.0\.1/))
  await assert.rejects(fetched('/broken'), isHttpError('Unreachable', /127\.0\.0\.1/))
  await assert.rejects(fetched('/silent', { ...LIMITS, timeoutMs: 50 }), isHttpError('Unreachable', /within 0\.05 s/))
  await assert.rejects(fetchText(get('http://127.0.0.1:1'), LIMITS), isHttpError('Unreachable', /ECONNREFUSED/))
})

test('a certificate is trusted by the authority that is given, and only by it', async t => {
  const authority = new Authority('own-ca')
  const identity = authority.issue({ commonName: 'server', usage: 'server', addresses: ['127.0.0.1'] })
  const url = await serveHttp(t, (_, response) => response.end('ok'), identity)
  assert.equal((await fetchText(get(url), { ...LIMITS, ca: authority.cert })).body, 'ok')
  await assert.rejects(fetchText(get(url), LIMITS), isHttpError('Untrusted', /certificate/))
})

test('kept connections serve one request after another, and close', async t => {
  const ports = new Set<number | undefined>()
  const url = await serveHttp(t, (request, response) => {
    ports.add(request.socket.remotePort)
    response.end()
  })
  const connections = new HttpConnections({ maxSockets: 1, idleMs: 10_000 })
  for (let index = 0; index < 3; index++) await fetchText(get(url), { ...LIMITS, connections })
  connections.close()
  assert.equal(ports.size, 1)
})

test('bytes are put as they are, and the server’s wish to be asked later is told', async t => {
  const url = await serveHttp(t, (request, response) => {
    void buffer(request).then(bytes =>
      response.writeHead(429, { 'retry-after': '3' }).end(`${request.method} ${bytes.toString('hex')}`)
    )
  })
  const answer = await fetchText({ method: 'PUT', url, headers: {}, body: Buffer.from([0, 255, 128]) }, LIMITS)
  assert.deepEqual(answer, { status: 429, body: 'PUT 00ff80', retryAfterMs: 3000 })
})

test('requests go through a proxy, with its credentials', async t => {
  const seen: (string | undefined)[] = []
  const proxyUrl = await serveHttp(t, (request, response) => {
    seen.push(request.url, request.headers['proxy-authorization'])
    response.end('by proxy')
  })
  const connections = new HttpConnections({
    maxSockets: 1,
    idleMs: 1000,
    proxyUrl: proxyUrl.replace('//', '//user:pass%21@')
  })
  t.after(() => connections.close())
  const { body } = await fetchText(get('http://far.example/x'), { ...LIMITS, connections })
  assert.equal(body, 'by proxy')
  assert.deepEqual(seen, ['http://far.example/x', `Basic ${Buffer.from('user:pass!').toString('base64')}`])
})
