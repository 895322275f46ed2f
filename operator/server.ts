import { createServer, type Server, type ServerResponse } from 'node:http'
import type { OperatorMetrics } from './metrics.ts'

/** `/livez` the process answers; `/readyz` its copies of the cluster's objects are complete; `/metrics` for Prometheus. */
export function startServer(port: number, isReady: () => boolean, metrics: OperatorMetrics): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, isReady, metrics).catch(() => response.destroy())
  })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  server.once('error', reject)
  server.listen(port, () => resolve(server))
  return promise
}

async function answer(
  url: string,
  response: ServerResponse,
  isReady: () => boolean,
  metrics: OperatorMetrics
): Promise<void> {
  const send = (status: number, contentType: string, body: string) =>
    void response.writeHead(status, { 'content-type': contentType }).end(body)
  switch (new URL(url, 'http://localhost').pathname) {
    case '/livez':
      return send(200, 'text/plain', 'ok\n')
    case '/readyz':
      return isReady() ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', 'not all objects are known yet\n')
    case '/metrics': {
      const { contentType, body } = await metrics.scrape()
      return send(200, contentType, body)
    }
    default:
      return send(404, 'text/plain', 'not here\n')
  }
}
