import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Driver } from '../../../../../consumer/sinks/snowflake/session/driver.ts'
import { snowflakeSessions, type SessionLimits } from '../../../../../consumer/sinks/snowflake/session/open.ts'
import type { SnowflakeSink } from '../../../../../crds/settled.ts'
import { systemClock } from '../../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../../lib/errors.ts'

type Options = Parameters<Driver['createConnection']>[0]

interface Behaviour {
  readonly connect?: (done: (error?: Error) => void) => void
  readonly execute?: (
    options: { sqlText: string; binds?: unknown },
    done: (error?: Error, rows?: object[]) => void
  ) => void
  readonly destroy?: (done: () => void) => void
}

/** Snowflake's client as far as it is used. */
function fakeDriver({
  connect = done => done(),
  execute = (_options, done) => done(undefined, []),
  destroy = done => done()
}: Behaviour) {
  const created: Options[] = []
  let destroyed = 0
  const driver = {
    createConnection: (options: Options) => {
      created.push(options)
      return {
        connectAsync: async (done: (error?: Error) => void) => connect(done),
        execute: (options: {
          sqlText: string
          complete: (error: unknown, statement: unknown, rows?: object[]) => void
        }) => execute(options, (error, rows) => options.complete(error, undefined, rows)),
        destroy: (done: () => void) => {
          destroyed++
          destroy(done)
        }
      }
    }
  } as unknown as Driver
  return { created, destroyed: () => destroyed, driver: async () => driver }
}

const SINK: SnowflakeSink = {
  account: 'acme-analytics',
  url: undefined,
  database: 'commerce',
  schema: 'bronze',
  warehouse: 'ingest',
  role: 'writer',
  authentication: 'Password',
  credentialsSecret: 'snowflake',
  tokenEndpoint: undefined,
  scope: undefined,
  workloadIdentityProvider: undefined,
  proxy: undefined,
  mode: 'Transaction',
  clusterBy: [],
  flushWhenWarehouseIdle: true,
  maxIdleDelayMs: 0
}

function sessions(
  sink: Partial<SnowflakeSink>,
  secrets: Record<string, string>,
  behaviour: Behaviour = {},
  limits: Partial<SessionLimits> = {}
) {
  const fake = fakeDriver(behaviour)
  const open = snowflakeSessions({
    snowflake: { ...SINK, ...sink },
    readSecret: async (name, key) => secrets[`${name}/${key}`],
    clock: systemClock,
    limits,
    driver: fake.driver
  })
  return { open, ...fake }
}

const PASSWORD = { 'snowflake/user': 'bronze', 'snowflake/password': 'pw-1' }

test('names are folded, the proxy and the tag are told, and all values come as text', async () => {
  const secrets = { ...PASSWORD, 'proxy/username': 'p', 'proxy/password': 'pp' }
  const proxy = { host: 'proxy.local', port: 3128, credentialsSecret: 'proxy' }
  const { open, created } = sessions({ proxy, url: 'https://acme.privatelink.snowflakecomputing.com' }, secrets)
  await open('bronze a/b t')
  const [options] = created
  assert.equal(options?.database, 'COMMERCE')
  assert.equal(options.warehouse, 'INGEST')
  assert.equal(options.role, 'WRITER')
  assert.equal(options.accessUrl, 'https://acme.privatelink.snowflakecomputing.com')
  assert.deepEqual(
    [options.proxyHost, options.proxyPort, options.proxyUser, options.proxyPassword],
    ['proxy.local', 3128, 'p', 'pp']
  )
  assert.equal(options.queryTag, 'bronze a/b t')
  assert.deepEqual(options.fetchAsString, ['Boolean', 'Number', 'Date', 'JSON', 'Buffer'])
})

test('a password that changed is used by the next session', async () => {
  const secrets: Record<string, string> = { ...PASSWORD }
  const { open, created } = sessions({}, secrets)
  await open('')
  secrets['snowflake/password'] = 'pw-2'
  await open('')
  assert.deepEqual(
    created.map(({ password }) => password),
    ['pw-1', 'pw-2']
  )
})

test('a private key is opened by its passphrase, and a wrong one is fatal without a word of it', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  const secrets = {
    'snowflake/user': 'bronze',
    'snowflake/privateKey': String(pem),
    'snowflake/passphrase': 'open sesame'
  }
  const { open, created } = sessions({ authentication: 'KeyPair' }, secrets)
  await open('')
  assert.equal(created[0]?.authenticator, 'SNOWFLAKE_JWT')
  assert.match(created[0].privateKey ?? '', /^-----BEGIN PRIVATE KEY-----/)
  const wrong = sessions({ authentication: 'KeyPair' }, { ...secrets, 'snowflake/passphrase': 'mellon' })
  await assert.rejects(wrong.open(''), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.match(error.message, /spec\.sink\.snowflake\.credentialsSecretRef/)
    assert.ok(!/mellon|BEGIN|sesame/.test(`${error.message}${String(error.cause)}`))
    return true
  })
})

test('tokens and workload identities are told as the client wants them', async () => {
  const oauth = sessions({ authentication: 'OAuth' }, { 'snowflake/token': 't-1' })
  await oauth.open('')
  assert.deepEqual([oauth.created[0]?.authenticator, oauth.created[0]?.token], ['OAUTH', 't-1'])
  for (const [provider, name] of [
    ['Aws', 'AWS'],
    ['Azure', 'AZURE'],
    ['Gcp', 'GCP']
  ] as const) {
    const wif = sessions(
      { authentication: 'WorkloadIdentity', workloadIdentityProvider: provider, credentialsSecret: undefined },
      {}
    )
    await wif.open('')
    assert.deepEqual(
      [wif.created[0]?.authenticator, wif.created[0]?.workloadIdentityProvider],
      ['WORKLOAD_IDENTITY', name]
    )
  }
  const oidc = { authentication: 'WorkloadIdentity', workloadIdentityProvider: 'Oidc' } as const
  const { open, created } = sessions(oidc, { 'snowflake/token': 'jwt' })
  await open('')
  assert.deepEqual([created[0]?.workloadIdentityProvider, created[0]?.token], ['OIDC', 'jwt'])
})

test('a token of client credentials is asked for at the endpoint, and kept while it is fresh', async () => {
  const asked: string[] = []
  const endpoint = createServer((request, response) => {
    asked.push(request.headers.authorization ?? '')
    response.end(JSON.stringify({ access_token: `t-${asked.length}`, expires_in: 600 }))
  })
  endpoint.listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  try {
    const tokenEndpoint = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`
    const secrets = { 'snowflake/clientId': 'id', 'snowflake/clientSecret': 'client secret' }
    const { open, created } = sessions({ authentication: 'OAuth', tokenEndpoint, scope: 'session:role:W' }, secrets)
    await open('')
    await open('')
    assert.deepEqual(
      created.map(({ token }) => token),
      ['t-1', 't-1']
    )
    assert.deepEqual(asked, [`Basic ${Buffer.from('id:client%20secret').toString('base64')}`])
  } finally {
    endpoint.close()
    endpoint.closeAllConnections()
  }
})

test('a Secret without a key is fatal and names both', async () => {
  const { open } = sessions({}, { 'snowflake/user': 'bronze' })
  await assert.rejects(open(''), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.equal(error.reason, 'SecretMissing')
    assert.match(error.message, /Secret snowflake of spec\.sink\.snowflake\.credentialsSecretRef has no password/)
    return true
  })
})

test('a login that hangs is given up, and the connection with it', async () => {
  const { open, destroyed } = sessions({}, PASSWORD, { connect: () => {} }, { loginMs: 20 })
  await assert.rejects(
    open(''),
    (error: unknown) => error instanceof RetryableError && error.code === 'SnowflakeUnavailable'
  )
  assert.equal(destroyed(), 1)
})

test('a statement that hangs ends the session: nothing runs behind it', async () => {
  const sent: string[] = []
  const execute: Behaviour['execute'] = ({ sqlText }, done) => {
    sent.push(sqlText)
    if (sqlText !== 'COMMIT') done(undefined, [{ 'number of rows inserted': '3' }])
  }
  const { open } = sessions({}, PASSWORD, { execute, destroy: () => {} }, { statementMs: 20, closeMs: 20 })
  const session = await open('')
  assert.equal((await session.run({ text: 'INSERT' })).affected, 3)
  const [commit, behind] = await Promise.allSettled([
    session.run({ text: 'COMMIT' }),
    session.run({ text: 'SELECT 1' })
  ])
  for (const outcome of [commit, behind]) {
    assert.ok(outcome?.status === 'rejected' && outcome.reason instanceof RetryableError)
    assert.equal(outcome.reason.code, 'SnowflakeTimeout')
  }
  assert.deepEqual(sent, ['INSERT', 'COMMIT'])
  await session.close()
  await assert.rejects(session.run({ text: 'SELECT 1' }), RetryableError)
})

test('statements run one after another in the order in which they are given', async () => {
  const sent: string[] = []
  const execute: Behaviour['execute'] = ({ sqlText }, done) => {
    sent.push(`> ${sqlText}`)
    setImmediate(() => {
      sent.push(`< ${sqlText}`)
      done(undefined, [])
    })
  }
  const { open } = sessions({}, PASSWORD, { execute })
  const session = await open('')
  await Promise.all(['A', 'B', 'C'].map(async text => await session.run({ text })))
  assert.deepEqual(sent, ['> A', '< A', '> B', '< B', '> C', '< C'])
})

test('a file goes to its stage from memory, under a name that needs no quotes', async () => {
  let put = ''
  const execute: Behaviour['execute'] = ({ sqlText }, done) => {
    put = sqlText
    done(undefined, [])
  }
  const { open } = sessions({}, PASSWORD, { execute })
  const session = await open('')
  await session.put('@"DB"."S"."T_BRONZE_STAGE"', { name: 'a-1.zst', bytes: Buffer.from('x'), compression: 'ZSTD' })
  assert.match(put, /^PUT 'file:\/\/a-1\.zst' '@"DB"\."S"\."T_BRONZE_STAGE"' .*SOURCE_COMPRESSION=ZSTD OVERWRITE=TRUE/)
  for (const name of ["a'; DROP", '../a', 'a b', '']) {
    await assert.rejects(
      session.put('@"S"', { name, bytes: Buffer.from('x'), compression: 'ZSTD' }),
      /broken invariant/
    )
  }
})
