import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Health } from './health.ts'
import type { ConsumerMetrics } from './metrics.ts'
import { FatalError } from '../lib/errors.ts'

export interface ServerPorts {
  readonly health: Health
  readonly metrics: ConsumerMetrics
  /** Member of the group, with or without partitions. */
  readonly isReady: () => boolean
}

/**
 * `/livez` the process answers; `/readyz` it is a member of its group (a sink outage is not a reason to take it away);
 * `/health` 503 after a failed write, 200 after the next good one; `/metrics` for Prometheus.
 */
export function startServer(host: string, port: number, ports: ServerPorts): Promise<Server> {
  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://localhost').pathname, response, ports).catch(() => response.destroy())
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
      reject(
        isTaken
          ? new FatalError(
              'PortUnusable',
              `--port ${port} on ${host} cannot be listened on (${error.code}): give another one`
            )
          : error
      )
    })
    server.listen(port, host, () => resolve(server))
  })
}

async function answer(
  path: string,
  response: ServerResponse,
  { health, metrics, isReady }: ServerPorts
): Promise<void> {
  if (path === '/livez') return send(response, 200, 'text/plain', 'ok\n')
  if (path === '/readyz')
    return send(response, isReady() ? 200 : 503, 'text/plain', isReady() ? 'ok\n' : 'not a member of the group\n')
  if (path === '/health') {
    const state = health.state()
    return send(response, state.healthy ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`)
  }
  if (path === '/metrics') {
    const { contentType, body } = await metrics.scrape()
    return send(response, 200, contentType, body)
  }
  return send(response, 404, 'text/plain', 'try /livez, /readyz, /health or /metrics\n')
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body)
}
