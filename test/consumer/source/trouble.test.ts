import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, TimeoutError } from '@platformatic/kafka'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { checkCode, sourceError } from '../../../consumer/source/trouble.ts'

function told(error: unknown): string {
  const found = sourceError(error)
  if (found instanceof FatalError) return `fatal ${found.reason}`
  return found instanceof RetryableError ? `retry ${found.code}` : 'defect'
}

const coded = (code: string): Error => Object.assign(new Error('no'), { code })

const CASES: readonly [string, unknown, string][] = [
  [
    'a refused password',
    new NetworkError('x', { cause: new AuthenticationError('no') }),
    'fatal SourceAuthenticationFailed'
  ],
  [
    'a connection that was lost while it authenticated',
    new NetworkError('x', { cause: new AuthenticationError('x', { cause: new NetworkError('closed') }) }),
    'retry SourceUnreachable'
  ],
  ['an answer that did not come', new TimeoutError('late'), 'retry SourceUnreachable'],
  ['a refused connection', new NetworkError('x', { cause: coded('ECONNREFUSED') }), 'retry SourceUnreachable'],
  [
    'a certificate nobody vouches for',
    new NetworkError('x', { cause: coded('DEPTH_ZERO_SELF_SIGNED_CERT') }),
    'fatal SourceTlsFailed'
  ],
  [
    'a certificate for another host',
    new NetworkError('x', { cause: coded('ERR_TLS_CERT_ALTNAME_INVALID') }),
    'fatal SourceTlsFailed'
  ],
  ['a fenced instance', new ProtocolError('FENCED_INSTANCE_ID'), 'fatal InstanceFenced'],
  [
    'a group of others',
    new MultipleErrors('x', [new ProtocolError('INCONSISTENT_GROUP_PROTOCOL')]),
    'fatal GroupInUse'
  ],
  ['a coordinator that moves', new ProtocolError('NOT_COORDINATOR'), 'retry SourceTrouble'],
  [
    'trouble of ours within the library’s',
    new NetworkError('x', { cause: new FatalError('SecretMissing', 'y') }),
    'fatal SecretMissing'
  ],
  [
    'a defect within the library’s',
    new NetworkError('x', { cause: new TypeError('undefined is not a function') }),
    'defect'
  ],
  ['a plain error', new Error('what'), 'defect']
]

for (const [what, error, expected] of CASES) {
  test(`${what} is ${expected}`, () => assert.equal(told(error), expected))
}

test('an error code of the future is trouble, not a defect', () => {
  assert.throws(() => checkCode(9999), RetryableError)
  assert.doesNotThrow(() => checkCode(0))
})
