import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { errorText } from '../../../../../lib/errors.ts'
import { Authority } from '../../../../servers/certificates.ts'
import { scripted, type Answer } from './scripted-server.ts'
import { isFatal, isRetryable } from '../../../../fakes/failures.ts'

const TABLE = { namespace: ['a', 'b'], name: 'c' }
const PATH = '/v1/namespaces/a%1Fb/tables/c'
const BIG_ID = '8744736658442914487'
const METADATA = `{"metadata":{"current-snapshot-id":${BIG_ID}},"config":{"s3.endpoint":"http://s3"},"storage-credentials":[{"prefix":"s3://b/","config":{"s3.access-key-id":"k"}}]}`
const NO_CHANGE = { requirements: [], updates: [] }

test('a table is loaded with its 64-bit ids, the catalog’s defaults below its own, and asks for credentials', async context => {
  const { catalog, requests } = await scripted(context, {
    config: { defaults: { 'client.region': 'north', 's3.endpoint': 'http://default' } },
    answers: { [`GET ${PATH}`]: { body: METADATA } },
    options: { warehouse: 'the lake' }
  })
  const table = await catalog.loadTable(TABLE)
  assert.deepEqual(table, {
    metadata: { 'current-snapshot-id': BigInt(BIG_ID) },
    config: { 'client.region': 'north', 's3.endpoint': 'http://s3' },
    storageCredentials: [{ prefix: 's3://b/', config: { 's3.access-key-id': 'k' } }]
  })
  assert.equal(requests[0]?.line, 'GET /v1/config?warehouse=the+lake')
  assert.equal(requests[1]?.headers['x-iceberg-access-delegation'], 'vended-credentials')
})

test('credentials are not asked for when the pipeline has its own', async context => {
  const { catalog, requests } = await scripted(context, {
    answers: { [`GET ${PATH}`]: { body: METADATA } },
    wantsCredentials: false
  })
  await catalog.loadTable(TABLE)
  assert.equal(requests[1]?.headers['x-iceberg-access-delegation'], undefined)
})

test('the prefix and the separator that the catalog overrides are used, whether encoded already or not', async context => {
  for (const prefix of ['main|lake', 'main%7Clake']) {
    const { catalog, requests } = await scripted(context, {
      config: { defaults: { prefix: 'other' }, overrides: { prefix, 'namespace-separator': '%2E' } }
    })
    assert.equal(await catalog.loadTable(TABLE), undefined)
    assert.equal(requests[1]?.line, 'GET /v1/main%7Clake/namespaces/a%2Eb/tables/c')
  }
})

test('a change is sent with its table, with 64-bit ids as they are', async context => {
  const { catalog, requests } = await scripted(context, { answers: { [`POST ${PATH}`]: { body: METADATA } } })
  const requirement = { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': BigInt(BIG_ID) }
  await catalog.commitTable(TABLE, { requirements: [requirement], updates: [] })
  assert.match(requests[1]?.body ?? '', new RegExp(`"snapshot-id":${BIG_ID}`))
  assert.match(requests[1]?.body ?? '', /"identifier":\{"namespace":\["a","b"\],"name":"c"\}/)
})

test('a table is dropped with or without its files, and may be gone already', async context => {
  const { catalog, requests } = await scripted(context, {
    answers: { [`DELETE ${PATH}`]: [204, 404] }
  })
  assert.equal(await catalog.dropTable(TABLE, true), 'dropped')
  assert.equal(await catalog.dropTable(TABLE, false), 'gone')
  assert.deepEqual(
    requests.slice(1).map(({ line }) => line),
    [`DELETE ${PATH}?purgeRequested=true`, `DELETE ${PATH}?purgeRequested=false`]
  )
})

test('what is answered to a commit is a result, trouble, or a person’s to mend', async context => {
  const error = { error: { message: 'no', type: 'SomeException', code: 1 } }
  const commit = async (answer: Answer) => {
    const { catalog } = await scripted(context, { answers: { [`POST ${PATH}`]: answer } })
    return await catalog.commitTable(TABLE, NO_CHANGE)
  }
  assert.equal(await commit({ status: 409, body: error }), 'conflict')
  assert.equal(await commit({ status: 404, body: error }), 'gone')
  for (const status of [500, 502, 503, 504, 507])
    await assert.rejects(commit({ status, body: error }), isRetryable('CatalogUnavailable'))
  await assert.rejects(commit({ status: 429, body: error }), isRetryable('CatalogThrottled'))
  const early = 'Invalid update timestamp 1795272311094: before last snapshot log entry at 1795272431000'
  const body = JSON.stringify({ error: { code: 400, type: 'IllegalArgumentException', message: early } })
  await assert.rejects(commit({ status: 400, body }), isRetryable('ClocksDiffer'))
  await assert.rejects(commit('cut'), isRetryable('CatalogUnreachable'))
  await assert.rejects(commit({ body: '<html>gateway</html>' }), isRetryable('CatalogAnswerUnreadable'))
  await assert.rejects(commit({ body: {} }), isRetryable('CatalogAnswerUnreadable'))
  const refusals: [number, string][] = [
    [400, 'CatalogRefuses'],
    [401, 'CatalogAuthenticationFailed'],
    [403, 'CatalogAccessDenied'],
    [405, 'CatalogLacksOperation'],
    [406, 'CatalogLacksOperation'],
    [419, 'CatalogAuthenticationFailed'],
    [422, 'CatalogRefuses'],
    [501, 'CatalogLacksOperation']
  ]
  for (const [status, reason] of refusals) await assert.rejects(commit({ status, body: error }), isFatal(reason))
})

test('a table is gone only when the catalog itself says so: 404 of what stands before it is trouble that passes', async context => {
  for (const body of ['<html>404 Not Found</html>', '', { status: 404, error: 'Not Found', path: PATH }]) {
    const answer = { status: 404, body }
    const { catalog } = await scripted(context, {
      answers: {
        [`GET ${PATH}`]: answer,
        [`POST ${PATH}`]: answer,
        [`DELETE ${PATH}`]: answer,
        'GET /v1/namespaces/a': answer
      }
    })
    await assert.rejects(catalog.loadTable(TABLE), isRetryable('CatalogAnswerUnreadable'))
    await assert.rejects(catalog.commitTable(TABLE, NO_CHANGE), isRetryable('CatalogAnswerUnreadable'))
    await assert.rejects(catalog.dropTable(TABLE, true), isRetryable('CatalogAnswerUnreadable'))
    await assert.rejects(catalog.createNamespace(['a']), isRetryable('CatalogAnswerUnreadable'))
  }
  const codeOnly = { status: 404, body: { error_code: 'TABLE_DOES_NOT_EXIST', message: 'no' } }
  const { catalog } = await scripted(context, { answers: { [`GET ${PATH}`]: codeOnly } })
  assert.equal(await catalog.loadTable(TABLE), undefined)
})

test('a redirect is not followed, wherever it leads', async context => {
  const { catalog, requests } = await scripted(context, {
    answers: { [`GET ${PATH}`]: { status: 307, headers: { location: '/elsewhere' } } }
  })
  await assert.rejects(catalog.loadTable(TABLE), isFatal('CatalogRedirects'))
  assert.equal(requests.length, 2)
})

test('namespaces that are there are not created, and one created meanwhile is fine', async context => {
  const { catalog, requests } = await scripted(context, {
    answers: { 'GET /v1/namespaces/a': 200, 'POST /v1/namespaces': 409 }
  })
  await catalog.createNamespace(['a', 'b'])
  assert.deepEqual(
    requests.slice(1).map(({ line, body }) => `${line} ${body}`.trim()),
    ['GET /v1/namespaces/a', 'GET /v1/namespaces/a%1Fb', 'POST /v1/namespaces {"namespace":["a","b"],"properties":{}}']
  )
})

test('a catalog that cannot be asked for its configuration is asked again', async context => {
  const { catalog } = await scripted(context, {
    answers: { 'GET /v1/config': [503, { body: {} }], [`GET ${PATH}`]: { body: METADATA } }
  })
  await assert.rejects(catalog.loadTable(TABLE), isRetryable('CatalogUnavailable'))
  assert.ok(await catalog.loadTable(TABLE))
})

test('a catalog that is not there at its address names the field', async context => {
  const { catalog } = await scripted(context, { answers: { 'GET /v1/config': 404 } })
  await assert.rejects(catalog.loadTable(TABLE), /CatalogNotFound|spec\.sink\.iceberg\.catalog\.uri/)
})

test('transactions are used where they are promised, but not on the reference server, which breaks the promise', async context => {
  const endpoint = 'POST /v1/{prefix}/transactions/commit'
  const { catalog } = await scripted(context, {
    config: { endpoints: [endpoint] },
    answers: { 'POST /v1/transactions/commit': { status: 204 } }
  })
  assert.equal(await catalog.hasTransactions(), true)
  assert.equal(await catalog.commitTransaction([{ table: TABLE, change: NO_CHANGE }]), 'committed')
  const reference = await scripted(context, { config: { endpoints: [endpoint, 'POST https://auth-server.com/token'] } })
  assert.equal(await reference.catalog.hasTransactions(), false)
})

test('where the catalog keeps idempotency keys a change without an answer is sent again under its key', async context => {
  const { catalog, requests } = await scripted(context, {
    config: { 'idempotency-key-lifetime': 'PT30M' },
    answers: { [`POST ${PATH}`]: ['cut', { body: METADATA }] }
  })
  assert.notEqual(await catalog.commitTable(TABLE, NO_CHANGE), 'conflict')
  const keys = requests.slice(1).map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.match(String(keys[0]), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(keys[0], keys[1])
})

test('a compressed answer is read', async context => {
  const headers = { 'content-encoding': 'gzip' }
  const { catalog } = await scripted(context, {
    answers: { [`GET ${PATH}`]: { headers, body: gzipSync(METADATA) } }
  })
  assert.ok(await catalog.loadTable(TABLE))
})

test('a certificate is trusted by the authority in the secret, and without it the field is named', async context => {
  const authority = new Authority('authority of catalogs')
  const tls = authority.issue({ commonName: 'catalog', usage: 'server', addresses: ['127.0.0.1'] })
  const answers = { [`GET ${PATH}`]: { body: METADATA } }
  const trusting = await scripted(context, {
    answers,
    tls,
    options: { caSecret: 'ca' },
    secrets: { 'ca.crt': authority.cert }
  })
  assert.ok(await trusting.catalog.loadTable(TABLE))
  const untrusting = await scripted(context, { answers, tls })
  await assert.rejects(untrusting.catalog.loadTable(TABLE), isFatal('CatalogCertificateUntrusted'))
})

test('a refusal that repeats the token does not spread it', async context => {
  const { catalog } = await scripted(context, {
    answers: { [`GET ${PATH}`]: { status: 403, body: { error: { message: 'token s3cr3t may not', type: 'x' } } } },
    options: { credentialsSecret: 'catalog' },
    secrets: { token: 's3cr3t' }
  })
  await assert.rejects(catalog.loadTable(TABLE), (error: unknown) => {
    assert.doesNotMatch(errorText(error), /s3cr3t/)
    assert.match(errorText(error), /token \*\*\* may not/)
    return true
  })
})
