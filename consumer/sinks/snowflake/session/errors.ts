import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { isUntrusted } from '../../../../lib/trust.ts'

/** What the client gives to its callbacks. It also has `data`, `response` and `cause`, which may hold secrets and rows. */
export interface DriverError extends Error {
  readonly code?: unknown
  readonly sqlState?: unknown
  readonly data?: unknown
  readonly response?: unknown
  readonly cause?: unknown
}

/** A statement was refused: nothing of it took effect, and a transaction around it is still open. */
export class StatementError extends RetryableError {
  readonly refusal: Refusal
  constructor(refusal: Refusal, code: string, message: string) {
    super(code, message)
    this.refusal = refusal
  }
}

/** `Data`: it failed at a row. */
export type Refusal = 'ObjectMissing' | 'ObjectExists' | 'ColumnMissing' | 'Locked' | 'Data' | 'Other'

/** Numbers of errors that Snowflake's answers carry, as its drivers and its documentation name them. */
const OBJECT_MISSING = new Set([2003, 2043])
const OBJECT_EXISTS = new Set([2002])
const COLUMN_MISSING = new Set([904])
const NOT_AUTHORIZED = new Set([3001, 3540, 3541])
const NO_WAREHOUSE = new Set([606])
const LOCKED = new Set([625])
const TIMED_OUT = new Set([604, 630])
const QUOTA = new Set([90_073])
const ROLE_MISSING = new Set([390_189, 390_186])
const CONTEXT_MISSING = new Set([390_201])
const NETWORK_POLICY = new Set([390_420, 390_422, 390_432])
/** All of the session and who opened it: it is over, its token has expired, its network is forbidden now. Another login tells more. */
const isOfSession = (number: number): boolean => number >= 390_000 && number < 391_000
/** Of values as a statement ran. Class 22 has errors of its compilation too, which have other numbers. */
const isOfData = (number: number, state: unknown): boolean =>
  number >= 100_000 && number < 101_000 && typeof state === 'string' && state.startsWith('22')
const LOCK_WORDS =
  /has locked (?:table|partitions)|lock has not yet been released|reached its lock timeout|waiters for this lock/i

/** Why a statement did not work. `binds` are what must not show in the error. */
export function statementError(error: DriverError, binds: readonly unknown[] = []): Error {
  const trouble = transportTrouble(error)
  if (trouble !== undefined) return trouble
  const number = numberOf(error)
  const said = `${spoken(error, binds)}${queryOf(error)}`
  if (isOfSession(number)) return new RetryableError('SnowflakeSessionGone', `the session is over: ${said}`)
  if (NOT_AUTHORIZED.has(number) || error.sqlState === '42501') {
    return new FatalError(
      'SnowflakeNotAuthorized',
      `${said}. Grant it to the role of spec.sink.snowflake.role, or have an administrator run \`bronze init\`; ` +
        'docs/snowflake.md lists the privileges.'
    )
  }
  if (NO_WAREHOUSE.has(number)) {
    return new FatalError(
      'SnowflakeWarehouseMissing',
      `${said}. Name a warehouse in spec.sink.snowflake.warehouse that exists, and GRANT USAGE ON WAREHOUSE to the role of ` +
        'spec.sink.snowflake.role.'
    )
  }
  if (LOCKED.has(number) || LOCK_WORDS.test(error.message)) return new StatementError('Locked', 'LockTimeout', said)
  if (TIMED_OUT.has(number)) return new RetryableError('SnowflakeTimeout', said)
  if (QUOTA.has(number)) return new RetryableError('SnowflakeQuotaExceeded', said)
  if (OBJECT_MISSING.has(number)) return new StatementError('ObjectMissing', 'SnowflakeObjectMissing', said)
  if (OBJECT_EXISTS.has(number)) return new StatementError('ObjectExists', 'SnowflakeObjectExists', said)
  if (COLUMN_MISSING.has(number)) return new StatementError('ColumnMissing', 'SnowflakeColumnMissing', said)
  return new StatementError(isOfData(number, error.sqlState) ? 'Data' : 'Other', 'SnowflakeRefused', said)
}

export interface LoginContext {
  readonly url: string
  /** What the person must check, by the kind of authentication. */
  readonly credentials: string
  readonly role: string | undefined
  /** Whether a login worked before in this process: then credentials that are refused are perhaps being changed just now. */
  readonly hasWorked: boolean
}

/** Why there is no session. */
export function loginError(error: DriverError, { url, credentials, role, hasWorked }: LoginContext): Error {
  const number = numberOf(error)
  const untrusted = causes(error).find(isUntrusted)
  if (untrusted !== undefined) {
    return new FatalError(
      'SnowflakeTlsFailed',
      `The certificate of ${url} is not trusted: check spec.sink.snowflake.url and what terminates TLS between here and there.`
    )
  }
  const status = statusOf(error)
  if (status === 403 || status === 404) {
    return new FatalError(
      'SnowflakeAccountMissing',
      `${url} answers the login with HTTP ${status}: there is no such account, or it is reached otherwise. Check ` +
        'spec.sink.snowflake.account (organization-account) and spec.sink.snowflake.url.'
    )
  }
  if (status === 407) {
    return new FatalError(
      'SnowflakeProxyRefuses',
      'The proxy refuses its credentials (HTTP 407): check spec.sink.snowflake.proxy, and username and password in the Secret of ' +
        'spec.sink.snowflake.proxy.credentialsSecretRef.'
    )
  }
  const trouble = transportTrouble(error)
  if (trouble !== undefined) return trouble
  if (ROLE_MISSING.has(number)) {
    return new FatalError(
      'SnowflakeRoleMissing',
      `Snowflake refuses the role ${role ?? "that is the user's default"} (${number}): check spec.sink.snowflake.role, and ` +
        'GRANT ROLE to the user.'
    )
  }
  if (CONTEXT_MISSING.has(number)) {
    return new FatalError(
      'SnowflakeObjectMissing',
      `Snowflake knows no such database, schema or warehouse (${number}), or the role may not use it: check database, schema ` +
        'and warehouse of spec.sink.snowflake, and GRANT USAGE on them.'
    )
  }
  if (NETWORK_POLICY.has(number)) {
    return new FatalError(
      'SnowflakeNotAllowed',
      `A network policy of the account or the user forbids connections from here (${number}): allow this address.`
    )
  }
  if (hasWorked) {
    return new RetryableError(
      'SnowflakeRefusesCredentials',
      `Snowflake refuses credentials (${number}) that worked before`
    )
  }
  return new FatalError('SnowflakeAuthenticationFailed', `Snowflake refuses the login (${number}): ${credentials}`)
}

/** Undefined when Snowflake answered. Otherwise it is unknown whether what was asked took effect. */
function transportTrouble(error: DriverError): RetryableError | undefined {
  const number = numberOf(error)
  const status = statusOf(error)
  if (error.name === 'OperationFailedError') {
    // Of its own trouble Snowflake tells with numbers of 3xxxxx, but for the sessions' and logins' 39xxxx.
    const isInternal = number >= 300_000 && number < 390_000
    return isInternal
      ? new RetryableError('SnowflakeUnavailable', `internal trouble of Snowflake (${number})`)
      : undefined
  }
  if (status === 401) return new RetryableError('SnowflakeSessionGone', 'the session is over (HTTP 401)')
  const [cause] = causes(error).flatMap(({ code }) => (typeof code === 'string' ? [code] : []))
  const why = status === undefined ? (cause ?? (number > 0 ? String(number) : error.name)) : `HTTP ${status}`
  return new RetryableError('SnowflakeUnavailable', `Snowflake gives no answer (${why})`)
}

function causes(error: DriverError): readonly NodeJS.ErrnoException[] {
  const found: NodeJS.ErrnoException[] = []
  for (let each: unknown = error.cause; each instanceof Error && found.length < 5; each = each.cause) found.push(each)
  return found
}

/** Errors' numbers come as text with zeros in front. */
const numberOf = ({ code }: DriverError): number => (/^\d{1,6}$/.test(String(code)) ? Number(code) : 0)

function statusOf({ response }: DriverError): number | undefined {
  if (typeof response !== 'object' || response === null) return undefined
  const { statusCode, status } = response as { statusCode?: unknown; status?: unknown }
  return [statusCode, status].find(each => typeof each === 'number')
}

function queryOf({ data }: DriverError): string {
  const id = typeof data === 'object' && data !== null ? (data as { queryId?: unknown }).queryId : undefined
  return typeof id === 'string' && /^[-0-9a-f]{36}$/i.test(id) ? `, query ${id}` : ''
}

const MAX_SPOKEN = 300
/** Errors whose quotes hold names of objects; those of others may hold rows. */
const NAMES_OBJECTS = new Set([...OBJECT_MISSING, ...OBJECT_EXISTS, ...COLUMN_MISSING, ...NOT_AUTHORIZED, ...LOCKED])

/** Snowflake's own words without values of rows. */
function spoken(error: DriverError, binds: readonly unknown[]): string {
  const number = numberOf(error)
  let text = error.message.replace(/\s+/g, ' ')
  for (const bind of binds) {
    if (typeof bind === 'string' && bind.length > 2) text = text.replaceAll(bind, '…')
  }
  if (!NAMES_OBJECTS.has(number)) text = text.replace(/'[^']*'|"[^"]*"|\{.*\}|\[.*\]/g, '…')
  return `${text.slice(0, MAX_SPOKEN).replace(/[.\s]+$/, '')} (${number})`
}
