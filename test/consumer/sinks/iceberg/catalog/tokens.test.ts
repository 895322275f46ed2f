import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { FatalError, RetryableError } from '../../../../../lib/errors.ts'
import { ManualClock } from '../../../../fakes/manual-clock.ts'
import { scripted, type Script } from './scripted-server.ts'

const TABLE = { namespace: ['a'], name: 'b' }
const LOAD = 'GET /v1/namespaces/a/tables/b'
const FOUND = { body: { metadata: {} } }
const TOKENS = 'POST /v1/oauth/tokens'

const given = (token: string, expiresIn: number) => ({ body: { access_token: token, expires_in: expiresIn } })
const CLIENT = { clientId: 'id', clientSecret: 'secret&' }

const withSecret = async (context: TestContext, script: Script) =>
  await scripted(context, { ...script, options: { credentialsSecret: 'catalog', ...script.options } })

test('without a secret no token is sent', async context => {
  const { catalog, requests } = await scripted(context, { answers: { [LOAD]: FOUND } })
  await catalog.loadTable(TABLE)
  assert.ok(requests.every(({ headers }) => headers.authorization === undefined))
})

test('a token of the secret is sent, and a rotated one is taken up when the old one is refused', async context => {
  const secrets: Record<string, string> = { token: 'old\n' }
  const { catalog, requests } = await withSecret(context, { secrets, answers: { [LOAD]: [FOUND, 401, FOUND] } })
  await catalog.loadTable(TABLE)
  secrets['token'] = 'new'
  await catalog.loadTable(TABLE)
  assert.deepEqual(
    requests.map(({ headers }) => headers.authorization),
    ['Bearer old', 'Bearer old', 'Bearer old', 'Bearer new']
  )
})

test('a client is exchanged for a token, which is used for most of its life', async context => {
  const clock = new ManualClock(0)
  const { catalog, requests } = await withSecret(context, {
    clock,
    secrets: CLIENT,
    answers: { [TOKENS]: [given('one', 100), given('two', 100)], [LOAD]: FOUND }
  })
  await catalog.loadTable(TABLE)
  await clock.advance(79_000)
  await catalog.loadTable(TABLE)
  await clock.advance(2_000)
  await catalog.loadTable(TABLE)
  const lines = requests.map(({ line, headers }) => `${line} ${headers.authorization ?? '-'}`)
  assert.deepEqual(lines, [
    `${TOKENS} -`,
    'GET /v1/config Bearer one',
    `${LOAD} Bearer one`,
    `${LOAD} Bearer one`,
    `${TOKENS} -`,
    `${LOAD} Bearer two`
  ])
  assert.equal(requests[0]?.body, 'grant_type=client_credentials&client_id=id&client_secret=secret%26&scope=catalog')
})

test('an expired token (419) is replaced once; a second refusal passes for who was served before', async context => {
  const { catalog, requests } = await withSecret(context, {
    secrets: CLIENT,
    answers: { [TOKENS]: [given('one', 100), given('two', 100)], [LOAD]: [419, FOUND, 419, 419, FOUND] }
  })
  assert.ok(await catalog.loadTable(TABLE))
  await assert.rejects(catalog.loadTable(TABLE), (error: unknown) => {
    assert.ok(error instanceof RetryableError)
    assert.equal(error.code, 'CatalogAuthenticationFailed')
    assert.match(error.message, /spec\.sink\.iceberg\.catalog\.credentialsSecretRef/)
    return true
  })
  assert.equal(requests.filter(({ line }) => line === TOKENS).length, 3)
  assert.ok(await catalog.loadTable(TABLE))
})

test('who was never served is refused for a person to mend', async context => {
  const { catalog } = await withSecret(context, {
    secrets: CLIENT,
    answers: { [TOKENS]: given('one', 100), 'GET /v1/config': 401 }
  })
  await assert.rejects(
    catalog.loadTable(TABLE),
    (error: unknown) => error instanceof FatalError && error.reason === 'CatalogAuthenticationFailed'
  )
})

test('a token endpoint that refuses a client whom the catalog has served is trouble that passes', async context => {
  const { catalog } = await withSecret(context, {
    secrets: CLIENT,
    answers: { [TOKENS]: [given('one', 100), 401, given('two', 100)], [LOAD]: [FOUND, 401, FOUND] }
  })
  assert.ok(await catalog.loadTable(TABLE))
  await assert.rejects(
    catalog.loadTable(TABLE),
    (error: unknown) => error instanceof RetryableError && error.code === 'CatalogAuthenticationFailed'
  )
  assert.ok(await catalog.loadTable(TABLE))
})

test('another token endpoint gets the scope that is asked for, and none otherwise', async context => {
  const elsewhere = await scripted(context, { answers: { 'POST /token': given('far', 100) } })
  const options = { tokenEndpoint: `${elsewhere.uri}/token` }
  for (const extra of [{}, { scope: 'lake' }]) {
    const { catalog } = await withSecret(context, {
      secrets: CLIENT,
      options: { ...options, ...extra },
      answers: { [LOAD]: FOUND }
    })
    await catalog.loadTable(TABLE)
  }
  assert.deepEqual(
    elsewhere.requests.map(({ body }) => new URLSearchParams(body).get('scope')),
    [null, 'lake']
  )
})

test('a token endpoint that refuses the client stops us without a word of the secret', async context => {
  const { catalog } = await withSecret(context, {
    secrets: CLIENT,
    answers: { [TOKENS]: { status: 400, body: { error: 'invalid_client', error_description: 'secret& is wrong' } } }
  })
  await assert.rejects(catalog.loadTable(TABLE), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.equal(error.reason, 'CatalogAuthenticationFailed')
    assert.doesNotMatch(error.message, /secret&/)
    return true
  })
})

test('a secret without keys names what it lacks', async context => {
  const { catalog } = await withSecret(context, { secrets: { clientId: 'id' } })
  await assert.rejects(catalog.loadTable(TABLE), /has neither the key token nor both clientId and clientSecret/)
})
