import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { chooseFault, type Fault, type FaultKind } from './faults.ts'

export interface ProxyOptions {
  /** The S3 server, `http://host:port`. */
  readonly upstream: string
  /** In [0, 1). */
  readonly random: () => number
  readonly choose?: typeof chooseFault
  /**
   * Called when a PUT has arrived whole in its headers (`before`) and when it has taken effect but is not answered yet
   * (`after`). True means that the client was killed there: nothing more is done for it.
   */
  readonly intercept?: (phase: 'before' | 'after', put: Put) => boolean
}

export interface Put {
  readonly path: string
  readonly isConditional: boolean
}

export interface Proxy {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string
  /** How often each fault was done to a request. */
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly stop: () => Promise<void>
}

/** A server between a client and S3 that is as unreliable as a network. Bodies are passed on as they come. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true })
  const faults = { delay: 0, unavailable: 0, resetBefore: 0, loseResponse: 0, cutResponse: 0 }
  const server = createServer((incoming, response) => {
    const isConditional = 'if-none-match' in incoming.headers || 'if-match' in incoming.headers
    const method = incoming.method ?? 'GET'
    const fault = (options.choose ?? chooseFault)({ method, isConditional }, options.random)
    if (fault.kind !== 'none') faults[fault.kind]++
    const put = method === 'PUT' ? { path: incoming.url ?? '/', isConditional } : undefined
    void serve({ incoming, response, fault, put }, options, agent)
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    }
  }
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly fault: Fault
  readonly put: Put | undefined
}

async function serve(exchange: Exchange, { upstream, intercept }: ProxyOptions, agent: Agent): Promise<void> {
  const { incoming, response, fault, put } = exchange
  const hangUp = () => incoming.socket.destroy()
  if (put !== undefined && intercept?.('before', put) === true) return void hangUp()
  if (fault.kind === 'resetBefore') return void hangUp()
  if (fault.kind === 'unavailable') return refuse(incoming, response)
  if (fault.kind === 'delay') await wait(fault.ms)
  if (incoming.socket.destroyed) return

  // The host stays the client's: its signature covers it. A continuation was already asked for by our own server.
  const { expect: _, ...headers } = incoming.headers
  const { hostname, port } = new URL(upstream)
  const sent = request({ hostname, port, method: incoming.method, path: incoming.url, headers, agent })
  sent.on('error', hangUp)
  sent.on('response', answer => {
    if (put !== undefined && intercept?.('after', put) === true) hangUp()
    if (fault.kind === 'loseResponse') hangUp()
    // Also when the client has gone meanwhile: the connection to the store is used again.
    if (incoming.socket.destroyed) return void answer.resume()
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    if (fault.kind === 'cutResponse') answer.once('data', hangUp)
    // Either side may be gone before the end: nothing is left to do then.
    pipeline(answer, response, () => {})
  })
  pipeline(incoming, sent, () => {})
}

/** The answer of a busy store. The body is taken first: a client that still sends would see a reset instead. */
async function refuse(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  incoming.resume()
  incoming.on('end', () => {
    const body = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Busy.</Message></Error>'
    response.writeHead(503, { 'content-type': 'application/xml', 'content-length': body.length }).end(body)
  })
}
