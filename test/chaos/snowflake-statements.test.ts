import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Fault, RequestKind } from './faults.ts'
import { startProxy, type Write } from './proxy.ts'
import { snowflakeRequest } from './snowflake-statements.ts'

const QUERY = '/queries/v1/query-request?requestId=1'
const sql = (sqlText: string) => Buffer.from(JSON.stringify({ sqlText }))

test('statements are told by their first word, in plain bodies and in compressed ones', () => {
  const kinds: readonly (readonly [string, string])[] = [
    ['BEGIN TRANSACTION', 'write'],
    ['COPY INTO "A" FROM @S', 'write'],
    ['\n  merge into L using K', 'write'],
    ['COMMIT', 'commit'],
    ['ROLLBACK', 'read'],
    ['SELECT 1', 'read'],
    ['SHOW LOCKS', 'read']
  ]
  for (const [text, kind] of kinds) {
    assert.equal(snowflakeRequest('POST', QUERY, sql(text), undefined).kind, kind, text)
    assert.equal(snowflakeRequest('POST', QUERY, gzipSync(sql(text)), 'gzip').kind, kind, text)
  }
  assert.equal(snowflakeRequest('POST', '/session/v1/login-request', Buffer.from('{}'), undefined).kind, 'session')
  assert.equal(snowflakeRequest('PUT', '/stages/a/b', Buffer.from('bytes'), undefined).kind, 'upload')
  assert.equal(snowflakeRequest('POST', QUERY, Buffer.from('no JSON'), undefined).kind, 'read')
})

test('dead letters are told by the name of their table', () => {
  const isOf = (text: string) => snowflakeRequest('POST', QUERY, sql(text), undefined).isOfDeadLetters
  assert.equal(isOf('INSERT INTO "LAKE"."BRONZE"."DLQ_T1" ("FAILED_AT") SELECT 1'), true)
  assert.equal(isOf('INSERT INTO "LAKE"."BRONZE"."T1" ("A") SELECT \'"DLQ_\''), false)
})

test('a COMMIT whose answer is lost has taken effect, and a witness hears of it twice', async context => {
  const { seen, endpoint, kinds, writes } = await withProxy(context, { kind: 'loseResponse' })
  await assert.rejects(post(endpoint, 'COMMIT'), /fetch failed/)
  assert.deepEqual(seen, ['COMMIT'])
  assert.deepEqual(kinds, [{ protocol: 'snowflake', method: 'POST', isCommit: true, isRead: false }])
  assert.deepEqual(writes, ['before commit', 'after commit'])
})

test('a statement that is repeated arrives twice, whole', async context => {
  const { seen, endpoint } = await withProxy(context, { kind: 'repeat' })
  const text = `INSERT INTO T SELECT '${'x'.repeat(100_000)}'`
  assert.equal((await post(endpoint, text)).status, 200)
  assert.deepEqual(seen, [text, text])
})

test('a service that is unavailable answers 503 without effect', async context => {
  const { seen, endpoint, writes } = await withProxy(context, { kind: 'unavailable', status: 503 })
  assert.equal((await post(endpoint, 'INSERT INTO T SELECT 1')).status, 503)
  assert.deepEqual([seen, writes], [[], ['before write']])
})

const post = (endpoint: string, text: string) => fetch(`${endpoint}${QUERY}`, { method: 'POST', body: sql(text) })

/** A server that keeps the statements it was sent, behind a proxy that always does the same. */
async function withProxy(context: TestContext, fault: Fault) {
  const seen: string[] = []
  const kinds: RequestKind[] = []
  const writes: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      seen.push((JSON.parse(body) as { sqlText: string }).sqlText)
      response.writeHead(200).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startProxy({
    upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    protocol: 'snowflake',
    random: () => 0.999,
    choose: kind => {
      kinds.push(kind)
      return fault
    },
    intercept: (phase: string, { path }: Write) => {
      writes.push(`${phase} ${path}`)
      return false
    }
  })
  context.after(async () => {
    await proxy.stop()
    server.close()
    server.closeAllConnections()
  })
  return { seen, kinds, writes, endpoint: proxy.endpoint }
}
