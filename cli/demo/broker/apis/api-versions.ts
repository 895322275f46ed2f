import { api, type Api } from '../wire/api.ts'
import { array, int16, int32, since, string, struct } from '../wire/schema.ts'

const API_VERSIONS = 18

/** Lists what is served; the server itself answers an unknown version of it in version 0 (KIP-511). */
export const apiVersions = (served: readonly Api[]): Api => {
  const own: Api = api({
    key: API_VERSIONS,
    versions: [0, 4],
    flexibleFrom: 3,
    request: struct({ clientSoftwareName: since(3, string), clientSoftwareVersion: since(3, string) }),
    response: struct({
      errorCode: int16,
      apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
      throttleTimeMs: since(1, int32)
    }),
    handle: (_broker, _request, call) => ({
      errorCode: call.injected(),
      apiKeys: [...served, own].map(({ key, versions: [minVersion, maxVersion] }) => ({
        apiKey: key,
        minVersion,
        maxVersion
      }))
    })
  })
  return own
}
