import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { snowflakeSessions } from '../../../../../consumer/sinks/snowflake/session/open.ts'
import { systemClock } from '../../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../../lib/errors.ts'
import { settledOf, snowflake } from '../../../../crds/settled-of.ts'

test('all goes through the proxy, with its credentials; what it says is in no error', async () => {
  let status = '502 Bad Gateway'
  const asked: (readonly [target: string | undefined, authorization: string | undefined])[] = []
  const proxy = createServer()
  proxy.on('connect', ({ url, headers }, socket) => {
    asked.push([url, headers['proxy-authorization']])
    socket.end(`HTTP/1.1 ${status}\r\n\r\nthe password of the proxy is pp`)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  const spec = snowflake({
    authentication: 'Password',
    proxy: { host: '127.0.0.1', port, credentialsSecretRef: { name: 'proxy' } }
  })
  const { sink } = settledOf({ sink: spec })
  assert.ok(sink.kind === 'snowflake')
  const secrets: Readonly<Record<string, string>> = { user: 'u', password: 'p', username: 'proxy-user' }
  const readSecret = async (name: string, key: string) => (name === 'proxy' && key === 'password' ? 'pp' : secrets[key])
  try {
    const open = snowflakeSessions({ snowflake: sink.snowflake, readSecret, clock: systemClock })
    const refused = (why: string) => (error: unknown) => {
      assert.ok(error instanceof FatalError || error instanceof RetryableError)
      assert.equal(error instanceof FatalError ? error.reason : error.code, why)
      assert.ok(!error.message.includes(' pp'), error.message)
      return true
    }
    await assert.rejects(open(''), refused('SnowflakeUnavailable'))
    status = '407 Proxy Authentication Required'
    await assert.rejects(open(''), refused('SnowflakeProxyRefuses'))
    const authorization = `Basic ${Buffer.from('proxy-user:pp').toString('base64')}`
    assert.ok(asked.length > 0)
    for (const each of asked) assert.deepEqual(each, ['acme-analytics.snowflakecomputing.com:443', authorization])
  } finally {
    proxy.close()
  }
})
