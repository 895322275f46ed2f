import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** PEM. */
export interface ServerIdentity {
  readonly cert: string
  readonly key: string
}

/** A server on the loopback that ends with the test; gives its address, without a slash at the end. */
export async function serveHttp(
  context: TestContext,
  answer: RequestListener,
  identity?: ServerIdentity
): Promise<string> {
  const server = identity === undefined ? createServer(answer) : createSecureServer({ ...identity }, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const scheme = identity === undefined ? 'http' : 'https'
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}
