import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { StatementError } from '../../../consumer/sinks/snowflake/session/errors.ts'
import {
  snowflakeSessions,
  type SessionLimits,
  type SessionsOptions
} from '../../../consumer/sinks/snowflake/session/open.ts'
import type { SnowflakeSink } from '../../../crds/settled.ts'
import { systemClock } from '../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'
import { settledOf, snowflake as snowflakeSpec } from '../../crds/settled-of.ts'

const server = need('snowflake')

async function sinkAt(url: string, more: object = {}): Promise<SnowflakeSink> {
  const { account, database, warehouse } = await sharedSnowflake()
  const { sink } = settledOf({ sink: snowflakeSpec({ account, url, database, warehouse, ...more }) })
  assert.ok(sink.kind === 'snowflake')
  return sink.snowflake
}

async function sessions(
  more: object,
  secrets: Readonly<Record<string, string>>,
  options: Partial<SessionsOptions> = {}
) {
  const { url } = await sharedSnowflake()
  const readSecret = async (_name: string, key: string) => secrets[key]
  return snowflakeSessions({ snowflake: await sinkAt(url, more), readSecret, clock: systemClock, ...options })
}

test('a key pair, a password and a token open sessions', server, async () => {
  const { user, password, privateKey, token } = await sharedSnowflake()
  for (const [more, secrets] of [
    [{}, { user, privateKey }],
    [{ authentication: 'Password' }, { user, password }],
    [{ authentication: 'OAuth' }, { token }]
  ] as const) {
    const session = await (await sessions(more, secrets))('bronze test')
    const { rows } = await session.run({
      text: 'SELECT CURRENT_USER() AS NAME, ? AS BOUND',
      binds: ['12345678901234567890']
    })
    assert.deepEqual(rows, [{ NAME: user, BOUND: '12345678901234567890' }])
    await session.close()
  }
})

test('credentials that are wrong are fatal at first, and may pass later', server, async () => {
  const { user, password } = await sharedSnowflake()
  const secrets: Record<string, string> = { user, password: 'wrong' }
  const open = await sessions({ authentication: 'Password' }, secrets)
  await assert.rejects(open(''), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.equal(error.reason, 'SnowflakeAuthenticationFailed')
    return true
  })
  secrets['password'] = password
  await (await open('')).close()
  secrets['password'] = 'rotated'
  await assert.rejects(open(''), { code: 'SnowflakeRefusesCredentials' })
})

test('a statement that is refused leaves its session of use, and says nothing of what it bound', server, async () => {
  const { user, privateKey } = await sharedSnowflake()
  const session = await (await sessions({}, { user, privateKey }))('')
  const secret = randomUUID()
  for (const text of ['SELECT ?::NUMBER AS N', 'SELECT PARSE_JSON(?) AS V', 'SELECT * FROM NOT_THERE WHERE A = ?']) {
    await assert.rejects(session.run({ text, binds: [`{${secret}`] }), (error: unknown) => {
      assert.ok(error instanceof StatementError, String(error))
      assert.ok(!`${error.message}${error.stack}`.includes(secret), error.message)
      return true
    })
  }
  assert.deepEqual((await session.run({ text: 'SELECT 1 AS N' })).rows, [{ N: '1' }])
  await session.close()
})

test('what is open when a session is closed is rolled back', server, async () => {
  const { user, privateKey, database } = await sharedSnowflake()
  const open = await sessions({}, { user, privateKey })
  const [one, two] = [await open(''), await open('')]
  const table = `"${database}"."PUBLIC"."T_${randomUUID().replaceAll('-', '').toUpperCase()}"`
  await one.run({ text: `CREATE TABLE ${table} (A NUMBER)` })
  await one.run({ text: 'BEGIN' })
  assert.equal((await one.run({ text: `INSERT INTO ${table} SELECT 1 UNION ALL SELECT 2` })).affected, 2)
  await one.close()
  assert.deepEqual((await two.run({ text: `SELECT COUNT(*) AS N FROM ${table}` })).rows, [{ N: '0' }])
  await two.run({ text: `DROP TABLE ${table}` })
  await two.close()
})

test('a server that takes requests and never answers is given up in time', server, async () => {
  const { user, privateKey, url } = await sharedSnowflake()
  const hanging: ServerResponse[] = []
  let isHung = false
  const between = createServer((request, response) => {
    if (isHung) hanging.push(response)
    else void passOn(request, response, url)
  })
  between.listen(0, '127.0.0.1')
  await once(between, 'listening')
  const { port } = between.address() as AddressInfo
  const openWithin = async (limits: Partial<SessionLimits>) =>
    await snowflakeSessions({
      snowflake: await sinkAt(`http://127.0.0.1:${port}`),
      readSecret: async (_name, key) => ({ user, privateKey })[key],
      clock: systemClock,
      limits: { ...limits, closeMs: 100 }
    })('')
  try {
    const session = await openWithin({ statementMs: 300 })
    const patient = await openWithin({ beatMs: 500 })
    await patient.run({ text: 'CALL SYSTEM$WAIT(2)' })
    isHung = true
    await assert.rejects(session.run({ text: 'SELECT 1' }), { code: 'SnowflakeTimeout' })
    await session.close()
    await assert.rejects(patient.run({ text: 'SELECT 1' }), { code: 'SnowflakeUnavailable' })
    await patient.close()
    await assert.rejects(openWithin({ loginMs: 300 }), { code: 'SnowflakeUnavailable' })
  } finally {
    // The client asks again for minutes, unless it is told.
    isHung = false
    for (const response of hanging) answerGone(response)
    between.close()
  }
})

async function passOn(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
  const names = ['accept', 'authorization', 'content-encoding', 'content-type']
  const headers = Object.fromEntries(
    names.flatMap(name => [[name, String(request.headers[name] ?? '')]]).filter(each => each[1])
  )
  const answer = await fetch(`${url}${request.url}`, { method: 'POST', body, headers })
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
}

function answerGone(response: ServerResponse): void {
  const answer = { success: false, code: '390111', message: 'gone', data: {} }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

test('where nobody listens is trouble that may pass', server, async () => {
  const { user, privateKey } = await sharedSnowflake()
  const open = snowflakeSessions({
    snowflake: await sinkAt('http://127.0.0.1:9'),
    readSecret: async (_name, key) => ({ user, privateKey })[key],
    clock: systemClock
  })
  await assert.rejects(
    open(''),
    (error: unknown) => error instanceof RetryableError && error.code === 'SnowflakeUnavailable'
  )
})

test('the client writes nothing: no log, no cache, no line', server, async () => {
  const { user, privateKey, url } = await sharedSnowflake()
  const home = await mkdtemp(join(tmpdir(), 'bronze-snowflake-home-'))
  try {
    const program = `
      import { snowflakeSessions } from ${JSON.stringify(new URL('../../../consumer/sinks/snowflake/session/open.ts', import.meta.url))}
      import { systemClock } from ${JSON.stringify(new URL('../../../lib/clock.ts', import.meta.url))}
      const { sink, secrets } = JSON.parse(process.env.GIVEN)
      const open = snowflakeSessions({ snowflake: sink, readSecret: async (_name, key) => secrets[key], clock: systemClock })
      const session = await open('')
      await session.run({ text: 'SELECT * FROM NOT_THERE' }).catch(() => {})
      await session.close()
    `
    const GIVEN = JSON.stringify({ sink: await sinkAt(url), secrets: { user, privateKey } })
    const env = { PATH: process.env['PATH'], HOME: home, GIVEN }
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: home, env })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, said], [0, ''])
    const files = (await readdir(home, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
    assert.deepEqual(
      files.map(({ name }) => name),
      []
    )
  } finally {
    await rm(home, { recursive: true })
  }
})
