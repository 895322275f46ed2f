import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { bytes, int16, int64, nullableString, since, struct } from '../wire/schema.ts'

/** Mechanism PLAIN (RFC 4616): identity, user and password, parted by NUL. */
export const saslAuthenticate = api({
  key: 36,
  versions: [0, 2],
  flexibleFrom: 2,
  request: struct({ authBytes: bytes }),
  response: struct({
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    sessionLifetimeMs: since(1, int64)
  }),
  handle: (broker, { authBytes }, call) => {
    const [, user = '', password] = authBytes.toString('utf8').split('\0')
    const isKnown = broker.users.size === 0 || (password !== undefined && broker.users.get(user) === password)
    const errorCode = call.injected() || (isKnown ? ERROR.NONE : ERROR.SASL_AUTHENTICATION_FAILED)
    if (errorCode !== ERROR.NONE)
      return { errorCode, errorMessage: 'Authentication failed: Invalid username or password' }
    call.session.user = user
    return {}
  }
})
