import type { Connection, ConnectionOptions } from 'snowflake-sdk'
import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { RetryableError } from '../../../../lib/errors.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'
import { Credentials } from './credentials.ts'
import { loadDriver, type Driver } from './driver.ts'
import { loginError, type DriverError } from './errors.ts'
import { DriverSession } from './driver-session.ts'
import { SnowflakeSecrets } from './secrets.ts'
import type { OpenSession, SnowflakeSession } from './session.ts'
import { within } from './within.ts'

export interface SessionsOptions {
  readonly snowflake: SnowflakeSink
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly limits?: Partial<SessionLimits>
  /** Other than Snowflake's own, for tests. */
  readonly driver?: () => Promise<Driver>
}

/** The client itself would try again for hours; beyond these a session is given up. */
export interface SessionLimits {
  readonly loginMs: number
  /** Longer than a statement may run by STATEMENT_TIMEOUT_IN_SECONDS. */
  readonly statementMs: number
  readonly beatMs: number
  readonly uploadMs: number
  readonly closeMs: number
}

const LIMITS: SessionLimits = {
  loginMs: 30_000,
  statementMs: 630_000,
  beatMs: 20_000,
  uploadMs: 120_000,
  closeMs: 3_000
}
/** Of one HTTP request: Snowflake answers after 45 s that a statement is still running, and is asked again. */
const REQUEST_MS = 60_000

/** How the sessions of a process are opened. */
export function snowflakeSessions(options: SessionsOptions): OpenSession {
  const { snowflake, readSecret, clock, driver = loadDriver } = options
  const limits = { ...LIMITS, ...options.limits }
  const credentials = new Credentials(snowflake, new SnowflakeSecrets(snowflake, readSecret, clock))
  let hasWorked = false
  return async tag => {
    const client = await driver()
    const connection = client.createConnection({
      ...addressOf(snowflake),
      ...(await credentials.read()),
      database: snowflake.database.toUpperCase(),
      schema: snowflake.schema.toUpperCase(),
      ...(snowflake.warehouse === undefined ? {} : { warehouse: snowflake.warehouse.toUpperCase() }),
      ...(snowflake.role === undefined ? {} : { role: snowflake.role.toUpperCase() }),
      application: 'BronzeOperator',
      queryTag: tag.slice(0, 2000),
      clientSessionKeepAlive: true,
      clientSessionKeepAliveHeartbeatFrequency: 900,
      timeout: REQUEST_MS,
      sfRetryMaxLoginRetries: 1,
      fetchAsString: ['Boolean', 'Number', 'Date', 'JSON', 'Buffer']
    })
    const session = new DriverSession(connection, limits)
    await login(connection, session, limits.loginMs, error =>
      loginError(error, {
        url: snowflake.url ?? `https://${snowflake.account}.snowflakecomputing.com`,
        credentials: credentials.remedy,
        role: snowflake.role,
        hasWorked
      })
    )
    hasWorked = true
    return session
  }
}

async function login(
  connection: Connection,
  session: SnowflakeSession,
  loginMs: number,
  translate: (error: DriverError) => Error
): Promise<void> {
  const connected = new Promise<void>((resolve, reject) => {
    const done = (error: Error | undefined) => (error ? reject(translate(error)) : resolve())
    // What it throws it also gives to the callback, or only throws.
    connection.connectAsync(done).catch((error: unknown) => reject(translate(error as DriverError)))
  })
  const late = () => new RetryableError('SnowflakeUnavailable', `no login within ${loginMs / 1000} s`)
  await within(connected, loginMs, late).catch(async (error: unknown) => {
    await session.close()
    throw error
  })
}

function addressOf({ account, url }: SnowflakeSink): ConnectionOptions & { readonly account: string } {
  return url === undefined ? { account } : { account, accessUrl: url }
}
