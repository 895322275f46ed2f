import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { chooseFault, type Fault, type FaultKind, type Protocol } from './faults.ts'
import { snowflakeRequest } from './snowflake-statements.ts'

export interface ProxyOptions {
  /** The real server, `http://host:port`. */
  readonly upstream: string
  readonly protocol: Protocol
  /** In [0, 1). */
  readonly random: () => number
  readonly choose?: typeof chooseFault
  /**
   * Called when a write (S3: PUT, catalog: POST, Snowflake: an upload or a statement that writes) has arrived whole in its
   * headers (`before`) and when it has taken effect but is not answered yet (`after`). True means that the client was killed
   * there: nothing more is done for it.
   */
  readonly intercept?: (phase: 'before' | 'after', write: Write) => boolean
}

export interface Write {
  readonly path: string
  readonly isCommit: boolean
  /** Dead letters become visible by it; of stores and catalogs the path tells. */
  readonly isOfDeadLetters?: boolean
}

export interface Proxy {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string
  /** How often each fault was done to a request. */
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly stop: () => Promise<void>
}

/**
 * A server between a client and a store, a catalog or Snowflake that is as unreliable as a network. Bodies are passed on as
 * they come; a statement for Snowflake is first read whole, since its text tells what it is.
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true })
  const { protocol, random, choose = chooseFault } = options
  const faults: Record<FaultKind, number> = { ...NO_FAULTS }
  const front = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = protocol === 'snowflake' ? await bodyOf(incoming) : undefined
    const { isRead, write } = body === undefined ? requestOf(protocol, incoming) : statementOf(incoming, body)
    const isCommit = write?.isCommit ?? false
    const fault = choose({ protocol, method: incoming.method ?? 'GET', isCommit, isRead }, random)
    if (fault.kind !== 'none') faults[fault.kind]++
    await serve({ incoming, response, fault, write, body }, options, agent)
  }
  const server = createServer((incoming, response) => {
    // A client that goes away in the middle of its request.
    front(incoming, response).catch(() => incoming.socket.destroy())
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

const NO_FAULTS: Readonly<Record<FaultKind, number>> = {
  delay: 0,
  unavailable: 0,
  conflict: 0,
  resetBefore: 0,
  loseResponse: 0,
  failAfter: 0,
  repeat: 0,
  cutResponse: 0
}

const CATALOG_COMMIT = /\/(?:tables\/[^/?]+|transactions\/commit)$/

function isCommitOf(protocol: Protocol, { method, url = '/', headers }: IncomingMessage): boolean {
  if (protocol === 'catalog') return method === 'POST' && CATALOG_COMMIT.test(url)
  return 'if-none-match' in headers || 'if-match' in headers
}

interface Kind {
  readonly isRead: boolean
  readonly write: Write | undefined
}

function requestOf(protocol: Protocol, incoming: IncomingMessage): Kind {
  const isWrite = incoming.method === (protocol === 's3' ? 'PUT' : 'POST')
  const write = { path: incoming.url ?? '/', isCommit: isCommitOf(protocol, incoming) }
  return { isRead: false, write: isWrite ? write : undefined }
}

function statementOf({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer): Kind {
  const { kind, isOfDeadLetters } = snowflakeRequest(method, url, body, headers['content-encoding'])
  const write = { path: kind, isCommit: kind === 'commit', isOfDeadLetters }
  return { isRead: kind === 'read', write: kind === 'read' || kind === 'session' ? undefined : write }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly fault: Fault
  readonly write: Write | undefined
  /** When it has been read already. */
  readonly body: Buffer | undefined
}

async function serve(exchange: Exchange, options: ProxyOptions, agent: Agent): Promise<void> {
  const { incoming, response, fault, write, body: whole } = exchange
  const { upstream, protocol, intercept } = options
  const hangUp = () => incoming.socket.destroy()
  if (write !== undefined && intercept?.('before', write) === true) return void hangUp()
  if (fault.kind === 'resetBefore') return void hangUp()
  if (fault.kind === 'unavailable' || fault.kind === 'conflict')
    return refuse(exchange, answerOf(protocol, fault.kind === 'conflict' ? 409 : fault.status))
  if (fault.kind === 'delay') await wait(fault.ms)
  if (incoming.socket.destroyed) return

  // The host stays the client's: its signature covers it. A continuation was already asked for by our own server.
  const { expect: _, ...headers } = incoming.headers
  const { hostname, port } = new URL(upstream)
  const body: Buffer[] = []
  const forward = () =>
    request({ hostname, port, method: incoming.method, path: incoming.url, headers, agent }).on('error', hangUp)
  const finish = (answer: IncomingMessage) => {
    if (write !== undefined && intercept?.('after', write) === true) hangUp()
    if (fault.kind === 'loseResponse') hangUp()
    // Also when the client has gone meanwhile: the connection to the store is used again.
    if (incoming.socket.destroyed) return void answer.resume()
    if (fault.kind === 'failAfter') {
      answer.resume()
      return send(response, answerOf(protocol, fault.status))
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    if (fault.kind === 'cutResponse') answer.once('data', hangUp)
    // Either side may be gone before the end: nothing is left to do then.
    pipeline(answer, response, () => {})
  }
  const repeat = (answer: IncomingMessage) => {
    answer.resume()
    forward().on('response', finish).end(Buffer.concat(body))
  }
  const first = forward().on('response', fault.kind === 'repeat' ? repeat : finish)
  if (whole !== undefined) {
    body.push(whole)
    return void first.end(whole)
  }
  if (fault.kind === 'repeat') incoming.on('data', (chunk: Buffer) => body.push(chunk))
  pipeline(incoming, first, () => {})
}

/** The body is taken first: a client that still sends would see a reset instead. */
function refuse({ incoming, response, body }: Exchange, answer: Answer): void {
  if (body !== undefined) return send(response, answer)
  incoming.resume()
  incoming.on('end', () => send(response, answer))
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body)
}

/** A refusal as the server itself would say it; 502 and 504 come from what stands before one. */
function answerOf(protocol: Protocol, status: number): Answer {
  if (status === 502 || status === 504) return { status, type: 'text/html', body: '<html>Bad gateway</html>' }
  if (protocol === 's3') {
    const body = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Busy.</Message></Error>'
    return { status, type: 'application/xml', body }
  }
  if (protocol === 'snowflake') return { status, type: 'text/html', body: '<html>Service Unavailable</html>' }
  const [type, message] =
    status === 409 ? ['CommitFailedException', 'Another was faster.'] : ['InternalServerError', 'Something broke.']
  return { status, type: 'application/json', body: JSON.stringify({ error: { message, type, code: status } }) }
}
