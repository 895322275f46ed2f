import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact, redactFields, REDACTED } from '../../../cli/cluster/redact.ts'

test('what looks like a credential is taken out of texts, and what is said around it stays', () => {
  const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc=\n-----END EC PRIVATE KEY-----'
  const cases: readonly (readonly [string, string])[] = [
    [`before\n${key}\nafter`, `before\n${REDACTED}\nafter`],
    ['cut off: -----BEGIN PRIVATE KEY-----\nMHcC', `cut off: ${REDACTED}`],
    ['got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln today', `got ${REDACTED} today`],
    ['key AKIAIOSFODNN7EXAMPLE used', `key ${REDACTED} used`],
    ['Authorization: Bearer abcdefgh12345', `Authorization: Bearer ${REDACTED}`],
    ['https://jane:hunter2@host/path', `https://jane:${REDACTED}@host/path`],
    ['GET /x?X-Amz-Signature=0123abcd&y=1', `GET /x?X-Amz-Signature=${REDACTED}&y=1`],
    ['{"password": "hunter2", "user": "jane"}', `{"password": "${REDACTED}", "user": "jane"}`],
    [
      String.raw`{"pipeline.yaml":"{\"apiKey\": \"k1\"}"}`,
      String.raw`{"pipeline.yaml":"{\"apiKey\": \"` + REDACTED + String.raw`\"}"}`
    ],
    ['sasl.jaas: x; password=hunter2; y', `sasl.jaas: x; password=${REDACTED}; y`],
    ['secretAccessKey=abc/def+ghi', `secretAccessKey=${REDACTED}`],
    ['password: hunter2', `password: ${REDACTED}`]
  ]
  for (const [text, clean] of cases) assert.equal(redact(text), clean)
})

test('names of Secrets and of their keys, and sentences, stay as they are', () => {
  const texts = [
    '{"credentialsSecretRef": {"name": "minio"}}',
    'Secret minio, named in spec.sink, does not exist',
    '{"secretName": "minio", "token_type": 3}',
    'the token has expired: log in again',
    'https://host:8080/path and s3://lake/tables'
  ]
  for (const text of texts) assert.equal(redact(text), text)
})

test('values of Secrets that are known are taken out in every form, longest first; short ones would take out words', () => {
  const secret = 'p@ss"word\nsecond line of it'
  const text = `a ${secret} b ${Buffer.from(secret).toString('base64')} c ${JSON.stringify(secret)} d second line of it`
  const clean = redact(text, [secret, 'in', 'second'])
  assert.equal(clean, `a ${REDACTED} b ${REDACTED} c "${REDACTED}" d ${REDACTED}`)
})

test('fields and variables that are called like credentials lose their values', () => {
  const env = [
    { name: 'DB_PASSWORD', value: 'hunter2' },
    { name: 'POD_NAME', value: 'x' },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'minio', key: 'token' } } }
  ]
  assert.deepEqual(redactFields({ accessKey: 'k', credentialsSecretRef: { name: 'minio' }, secretName: 's', env }), {
    accessKey: REDACTED,
    credentialsSecretRef: { name: 'minio' },
    secretName: 's',
    env: [{ name: 'DB_PASSWORD', value: REDACTED }, env[1], env[2]]
  })
})
