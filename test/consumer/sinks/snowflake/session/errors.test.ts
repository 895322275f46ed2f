import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  StatementError,
  loginError,
  statementError,
  type DriverError
} from '../../../../../consumer/sinks/snowflake/session/errors.ts'
import { FatalError, RetryableError } from '../../../../../lib/errors.ts'

const answered = (code: string, message: string, sqlState = ''): DriverError =>
  Object.assign(new Error(message), { name: 'OperationFailedError', code, sqlState })

const unanswered = (more: object): DriverError =>
  Object.assign(new Error('Request to Snowflake failed. token=abc'), { name: 'NetworkError', code: 401_001, ...more })

const LOGIN = {
  url: 'https://acme.snowflakecomputing.com',
  credentials: 'check the Secret.',
  role: 'W',
  hasWorked: false
}

test('a statement that Snowflake refuses tells what kind of refusal it is, and that nothing of it is in', () => {
  for (const [code, message, refusal, told] of [
    ['002003', "Object 'DB.S.T' does not exist or not authorized.", 'ObjectMissing', 'SnowflakeObjectMissing'],
    ['002002', "Object 'T' already exists.", 'ObjectExists', 'SnowflakeObjectExists'],
    ['000904', "invalid identifier 'NOTE'", 'ColumnMissing', 'SnowflakeColumnMissing'],
    ['000625', "Statement 'x' has locked table 'T' in transaction 1", 'Locked', 'LockTimeout'],
    ['100038', "Numeric value 'x' is not recognized", 'Other', 'SnowflakeRefused']
  ] as const) {
    const error = statementError(answered(code, message))
    assert.ok(error instanceof StatementError, code)
    assert.equal(error.refusal, refusal)
    assert.equal(error.code, told)
  }
})

test('a refusal for what a row holds is told from one for how the statement is', () => {
  for (const [code, sqlState, refusal] of [
    ['100038', '22018', 'Data'],
    ['100078', '22000', 'Data'],
    ['100072', '22000', 'Data'],
    ['100090', '42P18', 'Other'],
    ['002023', '22000', 'Other'],
    ['090106', '22000', 'Other']
  ] as const) {
    const error = statementError(answered(code, 'No.', sqlState))
    assert.ok(error instanceof StatementError)
    assert.equal(error.refusal, refusal, code)
  }
})

test('what may have taken effect is trouble of another kind', () => {
  for (const [error, code] of [
    [unanswered({}), 'SnowflakeUnavailable'],
    [unanswered({ name: 'RequestFailedError', response: { statusCode: 503 } }), 'SnowflakeUnavailable'],
    [unanswered({ name: 'RequestFailedError', response: { statusCode: 401 } }), 'SnowflakeSessionGone'],
    [answered('390111', 'Session no longer exists.'), 'SnowflakeSessionGone'],
    [answered('390318', 'OAuth access token expired.'), 'SnowflakeSessionGone'],
    [answered('000604', 'SQL execution canceled'), 'SnowflakeTimeout'],
    [answered('300002', 'Processing aborted by error 300010'), 'SnowflakeUnavailable']
  ] as const) {
    const found = statementError(error)
    assert.ok(found instanceof RetryableError && !(found instanceof StatementError), code)
    assert.equal(found.code, code)
  }
})

test('a missing privilege or warehouse names the field and the grant', () => {
  const privilege = statementError(answered('003001', "Insufficient privileges to operate on schema 'BRONZE'", '42501'))
  assert.ok(privilege instanceof FatalError)
  assert.equal(privilege.reason, 'SnowflakeNotAuthorized')
  assert.match(privilege.message, /schema 'BRONZE'.*spec\.sink\.snowflake\.role/)
  const warehouse = statementError(answered('000606', 'No active warehouse selected in the current session.'))
  assert.ok(warehouse instanceof FatalError)
  assert.match(warehouse.message, /spec\.sink\.snowflake\.warehouse.*GRANT USAGE ON WAREHOUSE/)
})

test('rows, binds and answers are in no error', () => {
  const secrets = ['4111-1111', 'ada@example.org', 'sekrit']
  const errors = [
    statementError(answered('100038', "Numeric value '4111-1111' is not recognized")),
    statementError(answered('100069', 'Error parsing JSON: {"mail": "ada@example.org"}')),
    statementError(answered('001003', 'syntax error at sekrit'), ['sekrit']),
    statementError(unanswered({ response: { statusCode: 500, body: 'sekrit' }, cause: new Error('sekrit') })),
    loginError(answered('390100', 'Incorrect password sekrit'), LOGIN),
    loginError(unanswered({ cause: new Error('sekrit') }), LOGIN)
  ]
  for (const error of errors) {
    for (const secret of secrets) assert.ok(!`${error.message}${String(error.cause)}`.includes(secret), error.message)
  }
})

test('a login that is refused is fatal with the remedy, unless it worked before', () => {
  const refused = answered('390144', 'JWT token is invalid.')
  const first = loginError(refused, LOGIN)
  assert.ok(first instanceof FatalError)
  assert.equal(first.reason, 'SnowflakeAuthenticationFailed')
  assert.match(first.message, /390144.*check the Secret/)
  const later = loginError(refused, { ...LOGIN, hasWorked: true })
  assert.ok(later instanceof RetryableError)
  assert.equal(later.code, 'SnowflakeRefusesCredentials')
  const cases = [
    [answered('390189', 'Role X does not exist'), 'SnowflakeRoleMissing', /spec\.sink\.snowflake\.role/],
    [answered('390422', 'IP is not allowed'), 'SnowflakeNotAllowed', /network policy/],
    [unanswered({ response: { statusCode: 403 } }), 'SnowflakeAccountMissing', /spec\.sink\.snowflake\.account/],
    [unanswered({ response: { statusCode: 407 } }), 'SnowflakeProxyRefuses', /snowflake\.proxy\.credentialsSecretRef/],
    [
      unanswered({ cause: Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }) }),
      'SnowflakeTlsFailed',
      /certificate of https:\/\/acme/
    ]
  ] as const
  for (const [error, reason, message] of cases) {
    const found = loginError(error, { ...LOGIN, hasWorked: true })
    assert.ok(found instanceof FatalError, reason)
    assert.equal(found.reason, reason)
    assert.match(found.message, message)
  }
})
