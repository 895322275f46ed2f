import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'
import { OauthTokens, SOURCE_TOKENS, requestToken } from '../../lib/oauth-tokens.ts'
import { serveHttp, type ServerIdentity } from '../fakes/http-server.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { Authority } from '../servers/certificates.ts'

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An endpoint that answers in turn, the last answer again and again. */
async function endpoint(t: TestContext, answers: readonly (readonly [number, string])[], identity?: ServerIdentity) {
  const asked: Asked[] = []
  const url = await serveHttp(
    t,
    (request, response) => {
      void text(request).then(body => {
        const [status, answer] = answers[Math.min(asked.length, answers.length - 1)] ?? [500, '']
        asked.push({ headers: request.headers, body })
        response.writeHead(status).end(answer)
      })
    },
    identity
  )
  return { asked, request: { endpoint: `${url}/token`, ...CLIENT, ca: undefined } }
}

const CLIENT = { clientId: 'me:you', clientSecret: 's3cr3t&', scope: 'kafka' }
const given = (token: string, life?: number) =>
  [200, JSON.stringify({ access_token: token, expires_in: life })] as const
const told = (error: unknown) => {
  assert.doesNotMatch(errorText(error), /s3cr3t/)
  return error instanceof FatalError ? error.reason : error instanceof RetryableError ? error.code : String(error)
}

test('a token is kept for most of its life, for one client', async t => {
  const { asked, request } = await endpoint(t, [given('one', 100), given('two', 100), given('three', 100)])
  const clock = new ManualClock(0)
  const tokens = new OauthTokens(clock, SOURCE_TOKENS)
  assert.deepEqual([await tokens.get(request), await tokens.get(request)], ['one', 'one'])
  await clock.advance(81_000)
  assert.equal(await tokens.get(request), 'two')
  assert.equal(await tokens.get({ ...request, clientSecret: 'rotated' }), 'three')
  assert.equal(asked.length, 3)
})

test('a token without a life is asked for each time', async t => {
  const { request } = await endpoint(t, [given('one'), given('two')])
  const tokens = new OauthTokens(new ManualClock(0), SOURCE_TOKENS)
  assert.deepEqual([await tokens.get(request), await tokens.get(request)], ['one', 'two'])
})

test('the client shows itself in the header or in the form, never in both', async t => {
  const { asked, request } = await endpoint(t, [given('one', 10)])
  await requestToken(request, SOURCE_TOKENS)
  await requestToken({ ...request, scope: undefined }, { ...SOURCE_TOKENS, clientIn: 'form' })
  assert.deepEqual(
    asked.map(({ headers, body }) => [headers.authorization, body]),
    [
      [`Basic ${btoa('me%3Ayou:s3cr3t%26')}`, 'grant_type=client_credentials&scope=kafka'],
      [undefined, 'grant_type=client_credentials&client_id=me%3Ayou&client_secret=s3cr3t%26']
    ]
  )
})

test('a refusal is for a person, in the words of who asked; the rest may pass', async t => {
  const expected: [number, string, string][] = [
    [400, '{"error_description":"s3cr3t& is wrong"}', 'SourceAuthenticationFailed'],
    [401, '', 'SourceAuthenticationFailed'],
    [404, '', 'SourceAuthenticationFailed'],
    [408, '', 'TokenEndpointTrouble'],
    [429, '', 'TokenEndpointTrouble'],
    [503, 's3cr3t&', 'TokenEndpointTrouble'],
    [302, '', 'TokenEndpointTrouble'],
    [200, '<html>', 'TokenEndpointTrouble'],
    [200, '{"access_token":""}', 'TokenEndpointTrouble']
  ]
  for (const [status, body, reason] of expected) {
    const { request } = await endpoint(t, [[status, body]])
    await assert.rejects(requestToken(request, SOURCE_TOKENS), error => {
      assert.equal(told(error), reason, `HTTP ${status}`)
      assert.match(errorText(error), /spec\.source\.security/)
      return true
    })
  }
  const nobody = { ...CLIENT, endpoint: 'http://127.0.0.1:1', ca: undefined }
  await assert.rejects(requestToken(nobody, SOURCE_TOKENS), error => told(error) === 'TokenEndpointUnreachable')
})

test('a certificate that is not trusted names the Secret that would say so', async t => {
  const authority = new Authority('idp-ca')
  const identity = authority.issue({ commonName: 'idp', usage: 'server', addresses: ['127.0.0.1'] })
  const { request } = await endpoint(t, [given('one', 10)], identity)
  assert.equal((await requestToken({ ...request, ca: authority.cert }, SOURCE_TOKENS)).token, 'one')
  await assert.rejects(requestToken(request, SOURCE_TOKENS), error => {
    assert.match(errorText(error), /spec\.source\.security\.caSecretRef/)
    return told(error) === 'SourceTlsFailed'
  })
})
