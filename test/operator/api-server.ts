import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server answers to one request; the test writes it. */
export type Answer = (response: ServerResponse, request: IncomingMessage, url: URL) => void

export interface FakeApiServer {
  readonly url: string
  /** `list ?limit=…`, `watch ?resourceVersion=…` in order. */
  readonly requests: readonly URL[]
  /** Answers for lists and for watches, each used once, the last for ever. */
  readonly lists: Answer[]
  readonly watches: Answer[]
  readonly stop: () => Promise<void>
}

/** An API server of one collection, as bad as the test wants it. */
export async function startApiServer(): Promise<FakeApiServer> {
  const requests: URL[] = []
  const lists: Answer[] = []
  const watches: Answer[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    requests.push(url)
    const answers = url.searchParams.has('watch') ? watches : lists
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer === undefined) response.writeHead(500).end()
    else answer(response, request, url)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    lists,
    watches,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

export const object = (name: string, resourceVersion: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'n', name, resourceVersion, managedFields: [{ manager: 'x' }] },
  ...more
})

export const listOf =
  (resourceVersion: string, items: readonly object[], next = ''): Answer =>
  response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ metadata: { resourceVersion, continue: next }, items }))
  }

export const refusal =
  (status: number, headers: Record<string, string> = {}, message = `refused with ${status}`): Answer =>
  response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ kind: 'Status', message }))
  }

/** Events of a watch; `then` says how it goes on after them. */
export const events =
  (lines: readonly object[], then: 'stay' | 'end' | 'break' = 'stay'): Answer =>
  response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`)
    if (then === 'end') response.end()
    if (then === 'break') setImmediate(() => response.destroy())
  }
