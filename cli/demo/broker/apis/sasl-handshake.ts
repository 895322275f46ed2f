import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, string, struct } from '../wire/schema.ts'

export const saslHandshake = api({
  key: 17,
  versions: [0, 1],
  flexibleFrom: Infinity,
  request: struct({ mechanism: string }),
  response: struct({ errorCode: int16, mechanisms: array(string) }),
  handle: (_broker, { mechanism }, call) => ({
    errorCode: call.injected() || (mechanism === 'PLAIN' ? ERROR.NONE : ERROR.UNSUPPORTED_SASL_MECHANISM),
    mechanisms: ['PLAIN']
  })
})
