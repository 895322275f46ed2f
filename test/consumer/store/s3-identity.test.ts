import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { serveHttp } from '../../fakes/http-server.ts'
import { fakeS3, storeAt } from './fake-s3.ts'
import { fakeSts, withIdentity, type Given, type StsRefusal } from './fake-sts.ts'

const ROLE = 'arn:aws:iam::123456789012:role/bronze'
const OWN = { credentialsSecret: undefined }
const MINUTE_MS = 60_000

/** A token as the kubelet keeps it: another one takes its place by a rename. */
async function tokenFile(context: TestContext, token: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-token-'))
  context.after(async () => await rm(folder, { recursive: true }))
  const path = join(folder, 'token')
  const write = async (text: string) => {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
  await write(token)
  return { path, write }
}

/** Credentials whose key names the token that they were given for. */
const given = (token: string, minutes: number): Given => ({
  accessKeyId: `KEY-${token}`,
  secretAccessKey: 'not-to-be-told',
  sessionToken: `session of ${token}`,
  expiresAtMs: Date.now() + minutes * MINUTE_MS
})

/** A pod whose token the service answers so. */
async function pod(context: TestContext, give: (token: string) => Given | StsRefusal) {
  const [s3, sts, token] = await Promise.all([fakeS3(context), fakeSts(context, give), tokenFile(context, 'first')])
  withIdentity(context, {
    AWS_ROLE_ARN: ROLE,
    AWS_WEB_IDENTITY_TOKEN_FILE: token.path,
    AWS_ENDPOINT_URL_STS: sts.endpoint
  })
  return { s3, sts, token, store: await storeAt(context, s3.endpoint, OWN) }
}

test('without a secret a pod’s token is exchanged for credentials, once while they last', async context => {
  const { s3, sts, store } = await pod(context, token => given(token, 60))
  await Promise.all([store.put('a', [Buffer.from('rows')]), store.get('x')])
  await store.putIfAbsent('b', [Buffer.from('{}')])
  assert.deepEqual(new Set(s3.signers()), new Set(['KEY-first']))
  assert.ok(s3.requests.every(({ headers }) => headers['x-amz-security-token'] === 'session of first'))
  assert.deepEqual(sts.asked, [{ role: ROLE, token: 'first' }])
})

test('credentials that end soon are renewed with the token of then, while those that last are used', async context => {
  const { s3, sts, token, store } = await pod(context, token => given(token, token === 'first' ? 4 : 60))
  await store.get('a')
  await token.write('second')
  for (let tries = 0; s3.signers().at(-1) !== 'KEY-second'; tries++) {
    assert.ok(tries < 100, 'the new credentials are used')
    await store.get('a')
    await wait(5)
  }
  assert.equal(s3.signers()[0], 'KEY-first')
  const count = sts.asked.length
  await store.get('a')
  assert.equal(sts.asked.length, count)
  assert.deepEqual(sts.asked.at(-1), { role: ROLE, token: 'second' })
})

test('credentials that have ended are not used; while no others are given the trouble may pass', async context => {
  let isAway = false
  const { s3, token, store } = await pod(context, token =>
    isAway ? { status: 400, code: 'ExpiredTokenException', message: 'Token expired' } : given(token, -1)
  )
  await store.get('a')
  isAway = true
  const before = s3.requests.length
  await assert.rejects(
    store.get('a'),
    (error: unknown) => error instanceof RetryableError && error.code === 'S3IdentityUnavailable'
  )
  await rm(token.path)
  await assert.rejects(store.get('a'), RetryableError)
  assert.equal(s3.requests.length, before)
})

for (const [code, message] of [
  ['AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
  ['InvalidIdentityToken', 'Incorrect token audience'],
  ['ValidationError', 'Request ARN is invalid']
] as const) {
  test(`a role that is refused (${code}) stops with the remedy, and without the token`, async context => {
    const { s3, store } = await pod(context, () => ({ status: 403, code, message }))
    await assert.rejects(store.get('a'), (error: unknown) => {
      assert.ok(error instanceof FatalError, String(error))
      assert.equal(error.reason, 'S3IdentityDenied')
      assert.ok(error.message.includes(message))
      assert.match(error.message, /spec\.sink\.s3\.s3\.credentialsSecretRef/)
      assert.match(error.message, /spec\.consumer\.serviceAccountName/)
      assert.doesNotMatch(error.message, /first/)
      return true
    })
    assert.equal(s3.requests.length, 0)
  })
}

const absent = (error: unknown) => {
  assert.ok(error instanceof FatalError, String(error))
  assert.equal(error.reason, 'S3IdentityMissing')
  assert.match(error.message, /spec\.sink\.s3\.s3\.credentialsSecretRef/)
  // The same code runs in `bronze run` and `bronze history` on a laptop.
  assert.match(error.message, /machine of your own, AWS_PROFILE/)
  assert.doesNotMatch(error.message, /^The pod/)
  return true
}

test('a pod without any identity stops with the remedy', async context => {
  const s3 = await fakeS3(context)
  withIdentity(context, {})
  await assert.rejects((await storeAt(context, s3.endpoint, OWN)).get('a'), absent)
})

test('a token that is not there stops with the remedy', async context => {
  const s3 = await fakeS3(context)
  withIdentity(context, { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/token' })
  await assert.rejects((await storeAt(context, s3.endpoint, OWN)).get('a'), absent)
})

test('an agent beside the pod gives credentials, asked with its token', async context => {
  const token = await tokenFile(context, 'agent token')
  const asked: (string | undefined)[] = []
  const agent = await serveHttp(context, (request, response) => {
    asked.push(request.headers.authorization)
    const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = given('agent', 60)
    const Expiration = new Date(expiresAtMs).toISOString()
    response.end(
      JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration })
    )
  })
  const s3 = await fakeS3(context)
  withIdentity(context, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token.path
  })
  const store = await storeAt(context, s3.endpoint, OWN)
  await store.put('a', [Buffer.from('rows')])
  assert.deepEqual(s3.signers(), ['KEY-agent'])
  assert.deepEqual(asked, ['agent token'])
})
