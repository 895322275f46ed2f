import type { TestContext } from 'node:test'
import { serveHttp } from './http-server.ts'

/** As a registry answers it; without a type it is Avro. */
export interface ServedSchema {
  readonly schema: string
  readonly schemaType?: 'JSON' | 'PROTOBUF'
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

export interface RegistryServer {
  readonly url: string
  /** Whether it refuses all. */
  isDown: boolean
}

/** A registry of schemas with ids from 1, all versions of `subject`; `others` are the first versions of subjects of their own. */
export async function serveRegistry(
  context: TestContext,
  subject: string,
  schemas: readonly ServedSchema[],
  others: Readonly<Record<string, ServedSchema>> = {}
): Promise<RegistryServer> {
  const answerTo = (path: string): unknown => {
    const [, other = ''] = /^\/api\/subjects\/(\w+)\/versions\/1$/.exec(path) ?? []
    if (other !== '') return others[other]
    const [, id, rest = ''] = /^\/api\/schemas\/ids\/(\d+)(.*)$/.exec(path) ?? []
    const schema = schemas[Number(id) - 1]
    return schema === undefined || rest === '' ? schema : [{ subject, version: Number(id) }]
  }
  const state = { url: '', isDown: false }
  const origin = await serveHttp(context, (request, response) => {
    const answer = answerTo(request.url ?? '')
    response.writeHead(state.isDown ? 503 : answer === undefined ? 404 : 200)
    response.end(JSON.stringify(answer ?? { error_code: 40403 }))
  })
  state.url = `${origin}/api`
  return state
}
