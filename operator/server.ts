import { createServer, type Server, type ServerResponse } from 'node:http'
import type { OperatorMetrics } from './metrics.ts'

/** What the server tells of the operator. */
export interface Told {
  /** Its copies of the cluster's objects are complete. */
  readonly isReady: boolean
  /** Why the process should be started anew; undefined while all is well. */
  readonly illness: string | undefined
  readonly metrics: Pick<OperatorMetrics, 'scrape'>
}

/** `/livez`, `/readyz` for the kubelet; `/metrics` for Prometheus. A process whose loop hangs answers nothing. */
export function startServer(port: number, told: Told): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, told).catch(() => response.destroy())
  })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  server.once('error', reject)
  server.listen(port, () => resolve(server))
  return promise
}

async function answer(url: string, response: ServerResponse, told: Told): Promise<void> {
  const send = (status: number, contentType: string, body: string) =>
    void response.writeHead(status, { 'content-type': contentType }).end(body)
  switch (new URL(url, 'http://localhost').pathname) {
    case '/livez':
      return told.illness === undefined ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', `${told.illness}\n`)
    case '/readyz':
      return told.isReady ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', 'not all objects are known yet\n')
    case '/metrics': {
      const { contentType, body } = await told.metrics.scrape()
      return send(200, contentType, body)
    }
    default:
      return send(404, 'text/plain', 'not here\n')
  }
}
