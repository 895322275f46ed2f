import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Fault } from './faults.ts'
import { startProxy, type ProxyOptions } from './proxy.ts'

/** A store that keeps what is put, honours If-None-Match, and says which host it was asked as. */
const objects = new Map<string, string>()
const store = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (text: string) => (body += text))
  request.on('end', () => {
    const path = request.url ?? ''
    if (request.method === 'GET')
      return response.writeHead(200, { 'x-host': request.headers.host }).end(objects.get(path))
    const isTaken = request.headers['if-none-match'] === '*' && objects.has(path)
    if (!isTaken) objects.set(path, body)
    response.writeHead(isTaken ? 412 : 200).end()
  })
})
let upstream = ''
before(async () => {
  store.listen(0, '127.0.0.1')
  await once(store, 'listening')
  upstream = `http://127.0.0.1:${(store.address() as AddressInfo).port}`
})
after(() => {
  store.close()
  store.closeAllConnections()
})

async function withProxy(options: Partial<ProxyOptions>, use: (endpoint: string) => Promise<void>) {
  const proxy = await startProxy({ upstream, protocol: 's3', random: () => 0.999, ...options })
  try {
    await use(proxy.endpoint)
  } finally {
    await proxy.stop()
  }
  return proxy.faults
}

const always = (fault: Fault) => ({ choose: () => fault })
const put = (url: string, body: string, headers = {}) => fetch(url, { method: 'PUT', body, headers })

test('without faults everything passes as it is, the host of the client included', async () => {
  const large = 'x'.repeat(5_000_000)
  await withProxy(always({ kind: 'none' }), async endpoint => {
    assert.equal((await put(`${endpoint}/plain`, large)).status, 200)
    const response = await fetch(`${endpoint}/plain`)
    assert.equal(await response.text(), large)
    assert.equal(response.headers.get('x-host'), new URL(endpoint).host)
    assert.equal((await put(`${endpoint}/plain`, 'again', { 'if-none-match': '*' })).status, 412)
  })
})

test('a lost response has taken effect, and is counted', async () => {
  const faults = await withProxy(always({ kind: 'loseResponse' }), endpoint =>
    assert.rejects(put(`${endpoint}/lost`, 'kept'), /fetch failed/)
  )
  assert.equal(objects.get('/lost'), 'kept')
  assert.equal(faults.loseResponse, 1)
})

test('a reset before has no effect', async () => {
  await withProxy(always({ kind: 'resetBefore' }), endpoint =>
    assert.rejects(put(`${endpoint}/reset`, 'gone'), /fetch failed/)
  )
  assert.equal(objects.has('/reset'), false)
})

test('a busy store answers 503 without effect', async () => {
  await withProxy(always({ kind: 'unavailable', status: 503 }), async endpoint => {
    const response = await put(`${endpoint}/busy`, 'x'.repeat(1_000_000))
    assert.equal(response.status, 503)
    assert.match(await response.text(), /SlowDown/)
  })
  assert.equal(objects.has('/busy'), false)
})

/** A catalog whose table counts the commits that it took, each of which must name the count before it. */
async function withCatalog(options: Partial<ProxyOptions>, use: (endpoint: string) => Promise<void>): Promise<number> {
  let commits = 0
  const catalog = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const isCurrent = Number(body) === commits
      if (isCurrent) commits++
      response.writeHead(isCurrent ? 200 : 409).end(String(commits))
    })
  })
  catalog.listen(0, '127.0.0.1')
  await once(catalog, 'listening')
  const to = `http://127.0.0.1:${(catalog.address() as AddressInfo).port}`
  await withProxy({ upstream: to, protocol: 'catalog', ...options }, use)
  catalog.close()
  catalog.closeAllConnections()
  return commits
}

const TABLE = '/v1/namespaces/bronze/tables/t0'
const commit = (endpoint: string) => fetch(`${endpoint}${TABLE}`, { method: 'POST', body: '0' })

const refusals: readonly (readonly [fault: Fault, status: number, type: string, commits: number])[] = [
  [{ kind: 'conflict' }, 409, 'CommitFailedException', 0],
  [{ kind: 'unavailable', status: 500 }, 500, 'InternalServerError', 0],
  [{ kind: 'unavailable', status: 502 }, 502, 'Bad gateway', 0],
  [{ kind: 'failAfter', status: 504 }, 504, 'Bad gateway', 1],
  [{ kind: 'repeat' }, 409, '1', 1]
]
for (const [fault, status, text, commits] of refusals) {
  test(`a commit that meets ${fault.kind} is answered ${status}, ${commits === 0 ? 'without' : 'with'} effect`, async () => {
    const effect = await withCatalog(always(fault), async endpoint => {
      const response = await commit(endpoint)
      assert.equal(response.status, status)
      assert.ok((await response.text()).includes(text))
    })
    assert.equal(effect, commits)
  })
}

test('commits to a catalog are told from its other requests', async () => {
  const seen: string[] = []
  const intercept: ProxyOptions['intercept'] = (at, { path, isCommit }) => {
    if (at === 'after') seen.push(`${path} ${isCommit}`)
    return false
  }
  await withCatalog({ ...always({ kind: 'none' }), intercept }, async endpoint => {
    const paths = [
      TABLE,
      '/v1/p/transactions/commit',
      '/v1/namespaces',
      '/v1/p/namespaces/a/tables',
      `${TABLE}/metrics`
    ]
    for (const path of paths) await fetch(`${endpoint}${path}`, { method: 'POST' })
    await fetch(`${endpoint}${TABLE}`)
  })
  assert.deepEqual(seen, [
    `${TABLE} true`,
    '/v1/p/transactions/commit true',
    '/v1/namespaces false',
    '/v1/p/namespaces/a/tables false',
    `${TABLE}/metrics false`
  ])
})

test('a cut response breaks off', async () => {
  objects.set('/long', 'y'.repeat(1_000_000))
  await withProxy(always({ kind: 'cutResponse' }), endpoint =>
    assert.rejects(fetch(`${endpoint}/long`).then(answer => answer.text()))
  )
})

test('a delayed write is overtaken', async () => {
  let calls = 0
  const choose = (): Fault => (calls++ === 0 ? { kind: 'delay', ms: 100 } : { kind: 'none' })
  await withProxy({ choose }, async endpoint => {
    const headers = { 'if-none-match': '*' }
    const [slow, fast] = await Promise.all([
      put(`${endpoint}/race`, 'slow', headers),
      put(`${endpoint}/race`, 'fast', headers)
    ])
    assert.deepEqual(
      [slow.status, fast.status].sort((a, b) => a - b),
      [200, 412]
    )
  })
})

test('a client that hangs up while the store works disturbs nobody', async () => {
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  const slow = createServer((_, response) => void held.then(() => response.end('late')))
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const asked = once(slow, 'request')
  const to = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  await withProxy({ ...always({ kind: 'none' }), upstream: to }, async endpoint => {
    const gone = new AbortController()
    const given = assert.rejects(fetch(`${endpoint}/slow`, { signal: gone.signal }))
    await asked
    gone.abort()
    await given
    release()
    assert.equal(await (await fetch(`${endpoint}/again`)).text(), 'late')
  })
  slow.close()
  slow.closeAllConnections()
})

for (const [phase, kept] of [
  ['before', false],
  ['after', true]
] as const) {
  test(`a client that dies ${phase} its write leaves ${kept ? 'the' : 'no'} object`, async () => {
    const seen: string[] = []
    const intercept: ProxyOptions['intercept'] = (at, { path, isCommit }) => {
      seen.push(`${at} ${path} ${isCommit}`)
      return at === phase
    }
    await withProxy({ ...always({ kind: 'none' }), intercept }, endpoint =>
      assert.rejects(put(`${endpoint}/dies-${phase}`, 'x', { 'if-none-match': '*' }), /fetch failed/)
    )
    assert.equal(objects.has(`/dies-${phase}`), kept)
    assert.ok(seen.includes(`${phase} /dies-${phase} true`))
  })
}
