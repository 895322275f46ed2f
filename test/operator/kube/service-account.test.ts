import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerByToken } from '../../../operator/kube/service-account.ts'

const token = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`

test('a token of a service account says whose it is', () => {
  const claims = { 'kubernetes.io': { namespace: 'bronze', serviceaccount: { name: 'operator', uid: 'abc-1' } } }
  const expected = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'operator', uid: 'abc-1' }
  assert.deepEqual(ownerByToken(token(claims), 'bronze'), expected)
  assert.equal(ownerByToken(token(claims), 'elsewhere'), undefined)
})

for (const [what, text] of Object.entries({
  'a token of a user': token({ sub: 'me' }),
  'a token with claims of another shape': token({
    'kubernetes.io': { namespace: 'bronze', serviceaccount: { name: 1 } }
  }),
  'a token that is null inside': token(null),
  'a token that is none': 'static-password',
  'no token': ''
}))
  test(`${what} owns nothing`, () => assert.equal(ownerByToken(text, 'bronze'), undefined))
