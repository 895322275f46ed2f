import dns from 'node:dns'
import type { TestContext } from 'node:test'

/** Names below localhost are the loopback until the test ends, as browsers have it; few resolvers do. */
export function resolveLocalhost(context: TestContext): void {
  const lookup = dns.lookup as (name: string, ...rest: unknown[]) => void
  context.mock.method(dns, 'lookup', (name: string, ...rest: unknown[]) =>
    lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)
  )
}
