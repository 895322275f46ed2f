import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { SourceSecurity } from '../../../crds/settled.ts'
import { FatalError } from '../../../lib/errors.ts'
import { PLAINTEXT, TestSource, pollUntil } from '../../consumer/source/harness.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { type KafkaAddresses, sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

let prepared: Promise<{ kafka: KafkaAddresses; topic: string; cluster: TestCluster }> | undefined

/** One topic with a record, made over the listener without security. */
const prepare = () =>
  (prepared ??= (async () => {
    const kafka = await sharedKafka()
    const cluster = new TestCluster(kafka.bootstrap)
    const topic = `secured-${randomBytes(6).toString('hex')}`
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, ['secret no more'])
    return { kafka, topic, cluster }
  })())

after(async () => {
  await (await prepared)?.cluster.close()
})

type Secrets = Record<string, string>

async function open(bootstrap: string, security: Partial<SourceSecurity>, secrets: Secrets): Promise<TestSource> {
  const { topic } = await prepare()
  const groupId = `g-${randomBytes(6).toString('hex')}`
  return new TestSource({ bootstrap, groupId, topics: [topic], security: { ...PLAINTEXT, ...security }, secrets })
}

/** Reads the record, which takes the fetch, the group and the control connection to be let in. */
async function assertReads(bootstrap: string, security: Partial<SourceSecurity>, secrets: Secrets): Promise<void> {
  const source = await open(bootstrap, security, secrets)
  try {
    await source.source.open()
    await pollUntil([source], () => source.records.length === 1, 'the record')
    assert.equal(source.records[0]?.value, 'secret no more')
  } finally {
    await source.source.close({ leave: true })
  }
}

async function assertRefused(
  bootstrap: string,
  security: Partial<SourceSecurity>,
  secrets: Secrets,
  reason: string,
  says: RegExp
): Promise<void> {
  const source = await open(bootstrap, security, secrets)
  try {
    await assert.rejects(
      async () => {
        await source.source.open()
        await pollUntil([source], () => false, 'the refusal')
      },
      (error: unknown) => {
        assert.ok(error instanceof FatalError, String(error))
        assert.equal(error.reason, reason)
        assert.match(error.message, says)
        for (const secret of Object.values(secrets)) assert.ok(!error.message.includes(secret), 'a secret is told')
        return true
      }
    )
  } finally {
    await source.source.close({ leave: false })
  }
}

const login = (user: { username: string; password: string }): Secrets => ({
  'user/username': user.username,
  'user/password': user.password
})
const pem = (path: string): Promise<string> => readFile(path, 'utf8')
const sasl = (mechanism: SourceSecurity['mechanism'], overTls = false): Partial<SourceSecurity> => ({
  protocol: overTls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
  mechanism,
  credentialsSecret: 'user',
  ...(overTls ? { caSecret: 'ca' } : {})
})

for (const overTls of [false, true]) {
  const name = overTls ? 'SASL_SSL' : 'SASL_PLAINTEXT'
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(
      `${name} with ${mechanism} reads, and a wrong password is fatal and names the field`,
      need('kafka'),
      async () => {
        const { kafka } = await prepare()
        const user = mechanism === 'PLAIN' ? kafka.users.plain : kafka.users.scram
        const secrets = { ...login(user), ...(overTls ? { 'ca/ca.crt': await pem(kafka.certificates.ca) } : {}) }
        const bootstrap = overTls ? kafka.saslSsl : kafka.saslPlaintext
        await assertReads(bootstrap, sasl(mechanism, overTls), secrets)
        const wrong = { ...secrets, 'user/password': 'not-the-password' }
        await assertRefused(
          bootstrap,
          sasl(mechanism, overTls),
          wrong,
          'SourceAuthenticationFailed',
          /spec\.source\.security/
        )
      }
    )
  }
}

test('SSL reads with the CA of the secret, and is refused without', need('kafka'), async () => {
  const { kafka } = await prepare()
  const ca = { 'ca/ca.crt': await pem(kafka.certificates.ca) }
  await assertReads(kafka.ssl, { protocol: 'SSL', caSecret: 'ca' }, ca)
  await assertRefused(kafka.ssl, { protocol: 'SSL' }, {}, 'SourceTlsFailed', /caSecretRef/)
})

test('mutual TLS reads with a client certificate, and is refused without', need('kafka'), async () => {
  const { kafka } = await prepare()
  const { ca, clientCert, clientKey } = kafka.certificates
  const secrets = {
    'ca/ca.crt': await pem(ca),
    'client/tls.crt': await pem(clientCert),
    'client/tls.key': await pem(clientKey)
  }
  const security = { protocol: 'SSL', caSecret: 'ca' } as const
  await assertReads(kafka.mutualTls, { ...security, clientCertificateSecret: 'client' }, secrets)
  await assertRefused(kafka.mutualTls, security, secrets, 'SourceTlsFailed', /clientCertificateSecretRef/)
})

test('OAUTHBEARER reads with a token from the secret, and with one from a token endpoint', need('kafka'), async () => {
  const { kafka } = await prepare()
  const token = unsecuredToken()
  await assertReads(kafka.saslPlaintext, sasl('OAUTHBEARER'), { 'user/token': token })
  await assertRefused(
    kafka.saslPlaintext,
    sasl('OAUTHBEARER'),
    { 'user/token': unsecuredToken(-60) },
    'SourceAuthenticationFailed',
    /spec\.source\.security/
  )

  const requests: string[] = []
  const endpoint = createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      requests.push(`${request.headers.authorization} ${body}`)
      const isKnown = request.headers.authorization === `Basic ${Buffer.from('me:mine').toString('base64')}`
      response
        .writeHead(isKnown ? 200 : 401)
        .end(JSON.stringify(isKnown ? { access_token: token, expires_in: 300 } : {}))
    })()
  }).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  try {
    const tokenEndpoint = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`
    const security = { ...sasl('OAUTHBEARER'), tokenEndpoint, scope: 'kafka' }
    await assertReads(kafka.saslPlaintext, security, { 'user/clientId': 'me', 'user/clientSecret': 'mine' })
    assert.equal(requests.length, 1, 'one token serves all connections')
    assert.match(requests[0] ?? '', /grant_type=client_credentials&scope=kafka/)
    await assertRefused(
      kafka.saslPlaintext,
      security,
      { 'user/clientId': 'me', 'user/clientSecret': 'other' },
      'SourceAuthenticationFailed',
      /tokenEndpoint/
    )
  } finally {
    endpoint.close()
  }
})

/** A JWT without a signature, which the test broker's default validator takes. */
function unsecuredToken(lifeSeconds = 300): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nowSeconds = Math.floor(Date.now() / 1000)
  return `${encode({ alg: 'none' })}.${encode({ sub: 'bronze', iat: nowSeconds - 100, exp: nowSeconds + lifeSeconds })}.`
}

test('a listener that wants another protocol says which field is wrong', need('kafka'), async () => {
  const { kafka } = await prepare()
  await assertRefused(kafka.ssl, {}, {}, 'SourceTlsFailed', /protocol/)
  await assertRefused(
    kafka.bootstrap,
    sasl('PLAIN'),
    login(kafka.users.plain),
    'SourceAuthenticationFailed',
    /protocol/
  )
})

test('a missing secret, or a missing key in it, is named', need('kafka'), async () => {
  const { kafka } = await prepare()
  await assertRefused(
    kafka.saslPlaintext,
    sasl('PLAIN'),
    { 'user/username': 'x' },
    'SecretMissing',
    /user.*password.*credentialsSecretRef/
  )
})

test('a rotated password is used by the next connection', need('kafka'), async () => {
  const { kafka } = await prepare()
  const secrets: Secrets = { ...login(kafka.users.scram), 'user/password': 'old' }
  const source = await open(kafka.saslPlaintext, sasl('SCRAM-SHA-256'), secrets)
  try {
    await assert.rejects(source.source.open(), FatalError)
    secrets['user/password'] = kafka.users.scram.password
    await source.source.open()
    await pollUntil([source], () => source.records.length === 1, 'the record')
  } finally {
    await source.source.close({ leave: true })
  }
})
