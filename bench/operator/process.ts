// The operator as a process of its own, reached as a pod reaches the API server: by address, authority and token. What it is
// told comes as JSON in its first argument; it answers each message with what it has asked for so far.
import { systemClock } from '../../lib/clock.ts'
import { jsonLog } from '../../lib/log.ts'
import type { Kube, ResourceType } from '../../operator/kube/kube.ts'
import { KubeClient } from '../../operator/kube/client.ts'
import { Operator } from '../../operator/operator.ts'

/** What the process is told. */
export interface Orders {
  readonly server: string
  /** PEM. */
  readonly ca: string
  readonly token: string
}

/** Requests so far: `list pods`, `watch pods` … */
export type Asked = Readonly<Record<string, number>>

/** Lines of its log that are shown; while the broker makes its own topics all pipelines say the same. */
const MAX_LINES = 20

const { server, ca, token } = JSON.parse(process.argv[2] ?? '') as Orders
const asked: Record<string, number> = {}
let lines = 0
const operator = new Operator({
  kube: counted(new KubeClient({ server, ca, token: async () => token }, systemClock)),
  clock: systemClock,
  log: jsonLog(line => lines++ < MAX_LINES && process.stderr.write(line), 'warn', Date.now),
  namespaces: [],
  consumerImage: 'bronze:bench',
  namespace: 'default',
  identity: 'bench',
  upgradesDefinition: false,
  sampleIntervalMs: 15_000,
  secretsIntervalMs: 60_000
})
process.on('message', () => process.send?.(asked satisfies Asked))
const stop = new AbortController()
process.on('disconnect', () => stop.abort())
await operator.run(stop.signal)
process.exit()

/** Every method of the client is one request, a page of a list included. */
function counted(kube: Kube): Kube {
  return new Proxy(kube, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const call = `${String(name)} ${(args[0] as Partial<ResourceType> | undefined)?.plural ?? ''}`
        asked[call] = (asked[call] ?? 0) + 1
        return Reflect.apply(value, target, args)
      }
    }
  })
}
