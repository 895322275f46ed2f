import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Authority } from './certificates.ts'
import type { Fault, FaultPlan, ProxiedRequest } from './kube-faults.ts'

export interface KubeProxy {
  /** `https://127.0.0.1:port` */
  readonly server: string
  /** PEM. */
  readonly ca: string
  /** How often each fault was done: `refuse 429`, `lose`. */
  readonly done: ReadonlyMap<string, number>
  /** Requests that came, with what was done to them. */
  readonly requests: readonly (ProxiedRequest & { readonly fault: Fault | undefined })[]
  /** From now on; connections that are under way keep the fault they have. */
  plan: FaultPlan
  /** Closes every connection, as when a server behind a balancer ends. */
  readonly cutAll: () => void
  readonly stop: () => Promise<void>
}

/** A proxy before an API server that does what the plan says. Who asks is told by the token, which is passed on. */
export async function startKubeProxy(
  target: { readonly server: string; readonly ca: string },
  plan: FaultPlan = () => undefined
): Promise<KubeProxy> {
  const authority = new Authority('authority of the proxy')
  const identity = authority.issue({ commonName: 'proxy', usage: 'server', addresses: ['127.0.0.1'] })
  const upstream = new Agent({ keepAlive: true, ca: target.ca })
  const done = new Map<string, number>()
  const requests: KubeProxy['requests'][number][] = []
  const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    const asked = proxied(request)
    const fault = proxy.plan(asked)
    requests.push({ ...asked, fault })
    if (fault !== undefined) {
      const name = fault.do === 'refuse' ? `refuse ${fault.status}` : fault.do
      done.set(name, (done.get(name) ?? 0) + 1)
    }
    pass(request, response, { target: target.server, agent: upstream, fault }).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: KubeProxy = {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.cert,
    done,
    requests,
    plan,
    cutAll: () => server.closeAllConnections(),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      upstream.destroy()
      await once(server, 'close')
    }
  }
  return proxy
}

function proxied({ method = 'GET', url = '/' }: IncomingMessage): ProxiedRequest {
  const { pathname, searchParams } = new URL(url, 'http://x')
  const isWatch = searchParams.has('watch')
  return { method, path: pathname, isWatch, isList: method === 'GET' && searchParams.has('limit') }
}

interface Way {
  readonly target: string
  readonly agent: Agent
  readonly fault: Fault | undefined
}

async function pass(request: IncomingMessage, response: ServerResponse, { target, agent, fault }: Way): Promise<void> {
  if (fault?.do === 'reset') return void response.destroy()
  const body = await buffer(request)
  if (fault?.do === 'stall') return
  if (fault?.do === 'refuse') return refuse(response, fault.status, fault.retryAfterSeconds)
  const { method = 'GET', url = '/', headers } = request
  const sent = httpsRequest(new URL(url, target), {
    method,
    headers: { ...headers, host: new URL(target).host },
    agent
  })
  sent.end(body)
  response.on('close', () => sent.destroy())
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  if (fault?.do === 'lose') {
    await buffer(answer)
    return void response.destroy()
  }
  response.writeHead(answer.statusCode ?? 500, answer.headers)
  response.flushHeaders()
  await passBody(answer, response, fault)
}

async function passBody(answer: IncomingMessage, response: ServerResponse, fault: Fault | undefined): Promise<void> {
  const limit = fault?.do === 'cut' || fault?.do === 'hush' ? fault.afterBytes : Infinity
  let passed = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    // What comes after the limit is swallowed.
    const part = chunk.subarray(0, limit - passed)
    passed += part.length
    if (fault?.do === 'drip') await drip(part, response)
    else if (part.length > 0) response.write(part)
    if (passed >= limit && fault?.do === 'cut') return void response.destroy()
  }
  if (limit === Infinity) response.end()
  // An answer that is shorter than the limit is cut at its end.
  else if (fault?.do === 'cut') response.destroy()
}

/** In steps of one byte, a few hundred at a time: a whole megabyte would take a test's time. */
async function drip(part: Buffer, response: ServerResponse): Promise<void> {
  const bytes = part.subarray(0, 300)
  for (const byte of bytes) {
    response.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  if (part.length > bytes.length) response.write(part.subarray(bytes.length))
}

function refuse(response: ServerResponse, status: number, retryAfterSeconds: number | undefined): void {
  const headers = {
    'content-type': 'application/json',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) })
  }
  response.writeHead(status, headers)
  response.end(JSON.stringify({ kind: 'Status', code: status, message: `the proxy answers ${status}` }))
}
