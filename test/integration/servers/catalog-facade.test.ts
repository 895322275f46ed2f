import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { sharedCatalog } from '../../servers/catalog.ts'
import { startFacade } from '../../servers/catalog-facade.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'
import { temporaryCredentials } from '../../servers/s3.ts'

const SCRIPT = fileURLToPath(new URL('./catalog.py', import.meta.url))
const OAUTH = { clientId: 'bronze', clientSecret: 'a secret', scope: 'PRINCIPAL_ROLE:ALL' }
const NEEDS = need('catalog', 'readers', 's3')

const stops: (() => Promise<void>)[] = []
after(() => Promise.all(stops.map(stop => stop())))

test('pyiceberg writes with a prefix, a token of its own and credentials that end', NEEDS, async () => {
  const { uri: upstream, s3 } = await sharedCatalog()
  const vend = async () => {
    const given = await temporaryCredentials(s3)
    assert.ok(given.expiresAtMs > Date.now())
    return {
      prefix: 's3://',
      config: {
        's3.access-key-id': given.accessKeyId,
        's3.secret-access-key': given.secretAccessKey,
        's3.session-token': given.sessionToken
      }
    }
  }
  const tableConfig = { 's3.endpoint': s3.endpoint, 's3.path-style-access': 'true', 'client.region': s3.region }
  const facade = await startFacade({
    upstream,
    prefix: 'main|lake',
    warehouse: 'lake',
    oauth: OAUTH,
    vend,
    tableConfig
  })
  stops.push(facade.stop)
  const client = {
    uri: facade.uri,
    type: 'rest',
    warehouse: 'lake',
    credential: `${OAUTH.clientId}:${OAUTH.clientSecret}`,
    scope: OAUTH.scope,
    'oauth2-server-uri': facade.tokenEndpoint
  }
  const run = (properties: object) => python(SCRIPT, ['write', JSON.stringify(properties), `ns_${randomUUID()}`])
  assert.equal((await run(client)).trim(), '3')
  assert.ok(facade.requests.includes('POST /token'))
  const others = facade.requests.filter(
    each => !/ \/token$| \/v1\/config\?warehouse=lake$| \/v1\/main%7Clake\//.test(each)
  )
  assert.deepEqual(others, [])
  await assert.rejects(run({ ...client, credential: 'bronze:wrong' }), /invalid_client/)
  await assert.rejects(run({ ...client, warehouse: 'other' }), /no warehouse other/)
})

test('a facade has the endpoints that it is told to have, and none of the reference server alone', NEEDS, async () => {
  const { uri: upstream } = await sharedCatalog()
  const endpointsOf = async (options: object) => {
    const facade = await startFacade({ upstream, token: 'fixed', ...options })
    stops.push(facade.stop)
    const ask = (headers: Record<string, string>) => fetch(`${facade.uri}/v1/config`, { headers })
    assert.equal((await ask({})).status, 401)
    return ((await (await ask({ authorization: 'Bearer fixed' })).json()) as { endpoints?: string[] }).endpoints
  }
  const commit = 'POST /v1/{prefix}/transactions/commit'
  const plain = (await endpointsOf({})) ?? []
  assert.ok(
    plain.includes('POST /v1/{prefix}/namespaces') &&
      !plain.includes(commit) &&
      !plain.some(each => each.includes('://'))
  )
  assert.ok((await endpointsOf({ hasTransactions: true }))?.includes(commit))
  assert.equal(await endpointsOf({ endpoints: () => undefined }), undefined)
})
