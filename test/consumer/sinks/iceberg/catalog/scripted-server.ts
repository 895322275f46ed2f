import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { openRestCatalog } from '../../../../../consumer/sinks/iceberg/catalog/rest.ts'
import type { DroppingCatalog } from '../../../../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { IcebergCatalog } from '../../../../../crds/settled.ts'
import { systemClock, type Clock } from '../../../../../lib/clock.ts'
import { catalogAt } from '../../../../fakes/catalog-options.ts'
import { serveHttp, type ServerIdentity } from '../../../../fakes/http-server.ts'

export interface Request {
  /** `GET /v1/config?warehouse=lake` */
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/**
 * A status (refusals with the protocol's body), or an answer whose body is text or JSON; `cut`: the connection ends
 * without one.
 */
export type Answer =
  | number
  | 'cut'
  | { readonly status?: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }

export interface Script {
  /** Answers by request line without its query; a list is answered in turn, the last one again and again. */
  readonly answers?: Readonly<Record<string, Answer | readonly Answer[]>>
  readonly config?: object
  readonly options?: Partial<IcebergCatalog>
  readonly secrets?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly wantsCredentials?: boolean
  readonly tls?: ServerIdentity
}

/** A catalog that answers by a script, and a client of it. */
export async function scripted(
  context: TestContext,
  { answers = {}, config = {}, options = {}, secrets = {}, clock = systemClock, tls, wantsCredentials = true }: Script
): Promise<{ catalog: DroppingCatalog; requests: Request[]; uri: string }> {
  const requests: Request[] = []
  const turns = new Map<string, number>()
  const all: Script['answers'] = { 'GET /v1/config': { body: config }, ...answers }
  const onRequest = (request: IncomingMessage, body: string): Answer => {
    const line = `${request.method} ${request.url}`
    requests.push({ line, headers: request.headers, body })
    const key = line.split('?')[0] ?? ''
    const answer = all[key] ?? 404
    if (!isList(answer)) return answer
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    return answer[Math.min(turn, answer.length - 1)] ?? 404
  }
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answer = onRequest(request, Buffer.concat(chunks).toString())
    if (answer === 'cut') {
      request.socket.destroy()
      return
    }
    const { status = 200, body, headers = {} } = typeof answer === 'number' ? plain(answer) : answer
    response.writeHead(status, headers)
    response.end(body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  }
  const listener: RequestListener = (request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error))
  }
  const uri = await serveHttp(context, listener, tls)
  const catalog = await openRestCatalog({
    catalog: catalogAt(uri, options),
    readSecret: async (_name, key) => secrets[key],
    clock,
    wantsCredentials
  })
  context.after(async () => {
    await catalog.close()
  })
  return { catalog, requests, uri }
}

/** Refusals have the body that the protocol gives them. */
const plain = (status: number): Exclude<Answer, string | number> =>
  status < 400 ? { status } : { status, body: { error: { message: 'no', type: 'SomeException', code: status } } }

const isList = (answer: Answer | readonly Answer[]): answer is readonly Answer[] => Array.isArray(answer)
