import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { openRestCatalog } from '../../../../../consumer/sinks/iceberg/catalog/rest.ts'
import type { DroppingCatalog } from '../../../../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { IcebergCatalog } from '../../../../../crds/settled.ts'
import { systemClock, type Clock } from '../../../../../lib/clock.ts'

export interface Request {
  /** `GET /v1/config?warehouse=lake` */
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A status (refusals with the protocol's body), or an answer whose body is text or JSON; `cut`: the connection ends without one. */
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
  readonly tls?: { readonly cert: string; readonly key: string }
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
  const server = tls === undefined ? createServer() : createSecureServer(tls)
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
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const uri = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const catalog = await openRestCatalog({
    catalog: {
      uri,
      warehouse: undefined,
      credentialsSecret: undefined,
      tokenEndpoint: undefined,
      scope: undefined,
      caSecret: undefined,
      ...options
    },
    readSecret: async (_name, key) => secrets[key],
    clock,
    wantsCredentials
  })
  context.after(async () => {
    await catalog.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { catalog, requests, uri }
}

/** Refusals have the body that the protocol gives them. */
const plain = (status: number): Exclude<Answer, string | number> =>
  status < 400 ? { status } : { status, body: { error: { message: 'no', type: 'SomeException', code: status } } }

const isList = (answer: Answer | readonly Answer[]): answer is readonly Answer[] => Array.isArray(answer)
