import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { compress } from '../../../../../consumer/parquet/compress.ts'
import { codeOf, verdictOf, type Verdict } from '../../../../../consumer/sinks/snowflake/streaming/answers.ts'
import { openStreamingService } from '../../../../../consumer/sinks/snowflake/streaming/rest.ts'
import type { StreamingService } from '../../../../../consumer/sinks/snowflake/streaming/service.ts'
import type { SnowflakeSink } from '../../../../../crds/settled.ts'
import type { Clock } from '../../../../../lib/clock.ts'
import { systemClock } from '../../../../../lib/clock.ts'
import { plannedTable } from '../../../../conformance/batches.ts'
import { isFatal, isRetryable } from '../../../../fakes/failures.ts'
import { serveHttp } from '../../../../fakes/http-server.ts'
import { STREAMING_SINK, readTestSecret, testAccount } from '../../../../fakes/snowpipe-harness.ts'
import { SnowpipeServer, type SnowpipeAccount } from '../../../../fakes/snowpipe-server.ts'

const PIPE = { database: 'LAKE', schema: 'BRONZE', name: 'ORDERS-STREAMING' }

interface World {
  readonly server: SnowpipeServer
  readonly service: StreamingService
  /** Waits that were asked for, in ms. */
  readonly waits: number[]
}

async function start(
  t: TestContext,
  options: {
    readonly snowflake?: Partial<SnowflakeSink>
    readonly account?: Partial<SnowpipeAccount>
    readonly secrets?: (name: string, key: string) => Promise<string | undefined>
  } = {}
): Promise<World> {
  const server = new SnowpipeServer({ ...testAccount().account, ...options.account })
  await server.start()
  t.after(() => server.close())
  server.state.table('ORDERS').columns.add('A')
  const waits: number[] = []
  const clock: Clock = {
    ...systemClock,
    sleep: async ms => {
      waits.push(ms)
    }
  }
  const { sink } = plannedTable(STREAMING_SINK).pipeline
  assert.ok(sink.kind === 'snowflake')
  const snowflake = { ...sink.snowflake, url: server.url, ...options.snowflake }
  const service = openStreamingService({
    snowflake,
    readSecret: options.secrets ?? readTestSecret,
    clock,
    timeoutMs: 5_000
  })
  t.after(() => service.close())
  return { server, service, waits }
}

const rows = (...texts: readonly string[]): Buffer =>
  Buffer.from(compress(Buffer.from(texts.map(text => `${text}\n`).join(''))))

test('rows that are appended are in the table with their token; each append needs the newest continuation token', async t => {
  const { server, service } = await start(t)
  const first = await service.open(PIPE, 'BRONZE_A')
  assert.equal(first.state.token, undefined)
  assert.ok(first.state.createdOnMs !== undefined)
  const append = async (continuation: string, token: string) =>
    await service.append(PIPE, 'BRONZE_A', { continuation, token, body: rows(`{"A":"${token}"}`) })
  const one = await append(first.continuation, '5~x')
  assert.ok(one.status === 'received')
  assert.deepEqual((await append(first.continuation, '6')).status, 'invalid')
  assert.equal((await append(one.continuation, '7')).status, 'received')
  const second = await service.open(PIPE, 'BRONZE_A')
  assert.equal(second.state.token, '7')
  assert.equal((await append(one.continuation, '8')).status, 'stale')
  const states = await service.statuses(PIPE, ['BRONZE_A', 'BRONZE_NONE'])
  assert.deepEqual([...states.keys()], ['BRONZE_A'])
  assert.equal(states.get('BRONZE_A')?.token, '7')
  assert.deepEqual(server.state.table('ORDERS').rows, [{ A: '5~x' }, { A: '7' }])
})

test('what is not committed when a channel is opened again never will be', async t => {
  const { server, service } = await start(t)
  server.state.commitLag = 1
  const { continuation } = await service.open(PIPE, 'BRONZE_A')
  await service.append(PIPE, 'BRONZE_A', { continuation, token: '5', body: rows('{"A":1}') })
  const again = await service.open(PIPE, 'BRONZE_A')
  assert.equal(again.state.token, undefined)
  server.state.commitAll()
  assert.deepEqual(server.state.table('ORDERS').rows, [])
})

test('a pipe that nobody opened yet has no channels', async t => {
  const { service } = await start(t)
  assert.equal((await service.statuses(PIPE, ['BRONZE_A'])).size, 0)
})

test('a token that is over is exchanged again, and nothing is appended twice', async t => {
  const { server, service } = await start(t, { snowflake: { role: 'loader_role' } })
  const { continuation } = await service.open(PIPE, 'BRONZE_A')
  assert.equal(server.role, 'LOADER_ROLE')
  server.forgetTokens()
  const answer = await service.append(PIPE, 'BRONZE_A', { continuation, token: '1', body: rows('{"A":1}') })
  assert.equal(answer.status, 'received')
  assert.equal(server.requests.filter(request => request === 'POST /oauth/token').length, 2)
  assert.equal(server.state.table('ORDERS').rows.length, 1)
})

test('throttled, it waits as long as it is told, and sends the same append again', async t => {
  const { server, service, waits } = await start(t)
  const { continuation } = await service.open(PIPE, 'BRONZE_A')
  let left = 2
  server.interfere = () => (left-- > 0 ? { status: 429, headers: { 'retry-after': '7' } } : undefined)
  const answer = await service.append(PIPE, 'BRONZE_A', { continuation, token: '1', body: rows('{"A":1}') })
  assert.equal(answer.status, 'received')
  assert.deepEqual(waits, [7_000, 7_000])
  assert.equal(server.state.table('ORDERS').rows.length, 1)
})

test('an append whose answer is lost is not sent again: its outcome is unknown', async t => {
  const { server, service } = await start(t)
  for (const status of [0, 500, 503]) {
    const { continuation } = await service.open(PIPE, 'BRONZE_A')
    server.interfere = ({ path }) => (path.endsWith('/rows') ? { status, isLost: true } : undefined)
    const answer = await service.append(PIPE, 'BRONZE_A', { continuation, token: `${status}`, body: rows('{"A":1}') })
    assert.equal(answer.status, 'unknown')
    server.interfere = () => undefined
  }
  assert.equal(server.state.table('ORDERS').rows.length, 3)
})

test('opening and asking are tried again, and given up after a few times', async t => {
  const { server, service, waits } = await start(t)
  let left = 2
  server.interfere = ({ method }) => {
    if (method !== 'PUT' || left-- <= 0) return undefined
    return left === 1
      ? { status: 409, body: { error_code: 'ERR_OPEN_CHANNEL_IN_PROGRESS' } }
      : { status: 500, body: '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"' }
  }
  await service.open(PIPE, 'BRONZE_A')
  assert.equal(waits.length, 2)
  server.interfere = ({ path }) => (path.endsWith(':bulk-channel-status') ? { status: 503 } : undefined)
  await assert.rejects(service.statuses(PIPE, ['BRONZE_A']), isRetryable('SnowflakeUnavailable'))
})

test('a key that the account does not know is refused with the remedy, and shows in no error', async t => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const { service } = await start(t, { account: { privateKey: other } })
  await assert.rejects(service.open(PIPE, 'BRONZE_A'), (error: unknown) => {
    isFatal('SnowflakeAuthenticationFailed')(error)
    assert.match(String(error), /RSA_PUBLIC_KEY/)
    assert.doesNotMatch(String(error), /eyJ|PRIVATE/)
    return true
  })
})

test('credentials that worked before are perhaps being changed just now', async t => {
  const { server, service } = await start(t)
  await service.open(PIPE, 'BRONZE_A')
  server.forgetTokens()
  server.interfere = ({ path }) => (path === '/oauth/token' ? { status: 401 } : undefined)
  await assert.rejects(service.open(PIPE, 'BRONZE_A'), isRetryable('SnowflakeRefusesCredentials'))
})

test('a key may have a passphrase', async t => {
  const { privateKey } = testAccount().account
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open it' })
  const secretsWith = (passphrase: string | undefined) => async (_: string, key: string) =>
    ({ user: 'loader', privateKey: String(pem), passphrase })[key]
  const { service } = await start(t, { secrets: secretsWith('open it') })
  await service.open(PIPE, 'BRONZE_A')
  for (const passphrase of ['other', undefined]) {
    const closed = await start(t, { secrets: secretsWith(passphrase) })
    await assert.rejects(closed.service.open(PIPE, 'BRONZE_A'), (error: unknown) => {
      isFatal('SnowflakeAuthenticationFailed')(error)
      assert.doesNotMatch(String(error), /other|PRIVATE/)
      return true
    })
  }
})

test('everything goes through the proxy, with its credentials', async t => {
  const seen: (readonly [url: string | undefined, authorization: string | undefined])[] = []
  const proxy = await serveHttp(t, (request, response) => {
    seen.push([request.url, request.headers['proxy-authorization']])
    response.writeHead(503).end()
  })
  const { port } = new URL(proxy)
  const secrets = async (name: string, key: string) =>
    name === 'proxy' ? { username: 'user', password: 'p@ss' }[key] : await readTestSecret(name, key)
  const options = { host: '127.0.0.1', port: Number(port), credentialsSecret: 'proxy' }
  const { service, server } = await start(t, { snowflake: { proxy: options }, secrets })
  await assert.rejects(service.open(PIPE, 'BRONZE_A'), isRetryable('SnowflakeUnavailable'))
  const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`
  assert.deepEqual(seen[0], [`${server.url}/v2/streaming/hostname`, basic])
  assert.deepEqual(server.requests, [])
})

test('an OAuth token is used as it is', async t => {
  const secrets = async (_: string, key: string) => (key === 'token' ? 'an-oauth-token' : undefined)
  const options = {
    snowflake: { authentication: 'OAuth' },
    account: { oauthToken: 'an-oauth-token' },
    secrets
  } as const
  const { server, service } = await start(t, options)
  await service.open(PIPE, 'BRONZE_A')
  assert.ok(!server.requests.includes('POST /oauth/token'))
})

test('what is missing in a Secret, no key, or another authentication is told by its field', async t => {
  const missing = await start(t, { secrets: async () => undefined })
  await assert.rejects(missing.service.open(PIPE, 'A'), isFatal('SecretMissing'))
  const broken = await start(t, { secrets: async () => 'no key' })
  await assert.rejects(broken.service.open(PIPE, 'A'), isFatal('SnowflakeAuthenticationFailed'))
  await assert.rejects(start(t, { snowflake: { authentication: 'Password' } }), isFatal('UnsupportedAuthentication'))
})

test('a table that is not there is told to a person', async t => {
  const { service } = await start(t)
  await assert.rejects(service.open({ ...PIPE, name: 'OTHER-STREAMING' }, 'A'), isFatal('SnowflakeObjectMissing'))
})

const VERDICTS: readonly (readonly [status: number, code: string, verdict: Verdict])[] = [
  [200, '', 'ok'],
  [400, 'STALE_CONTINUATION_TOKEN_SEQUENCER', 'stale'],
  [409, '', 'stale'],
  [409, 'ERR_CHANNEL_MUST_BE_REOPENED', 'invalid'],
  [400, 'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER', 'invalid'],
  [404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED', 'invalid'],
  [400, 'STALE_PIPE_CACHE', 'invalid'],
  [409, 'ERR_OPEN_CHANNEL_IN_PROGRESS', 'busy'],
  [409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA', 'busy'],
  [429, '', 'busy'],
  [503, 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST', 'unknown'],
  [400, 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST', 'unknown'],
  [500, '', 'unknown'],
  [408, '', 'unknown'],
  [401, '', 'unauthorized'],
  [403, '', 'forbidden'],
  [404, 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', 'missing'],
  [413, '', 'tooLarge'],
  [400, '', 'refused']
]

for (const [status, code, verdict] of VERDICTS) {
  test(`HTTP ${status} ${code} is ${verdict}`, () => assert.equal(verdictOf(status, code), verdict))
}

test('the code of an error is read from wherever it stands, and from nothing else', () => {
  assert.equal(codeOf('{"code":"A_B","message":"secret"}'), 'A_B')
  assert.equal(codeOf('{"error_code":"A_B"}'), 'A_B')
  assert.equal(codeOf('"A_B"'), 'A_B')
  for (const body of ['', '<html>', '{"code":"has blanks"}', '{"code":5}', '[]', 'null']) assert.equal(codeOf(body), '')
})
