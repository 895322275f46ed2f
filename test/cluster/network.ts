import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ClusterNetwork } from '../servers/kube-flags.ts'

const run = promisify(execFile)

/** The addresses of one cluster, all of them in 10.x.0.0/16, which it has for itself. */
export interface NodeNetwork extends ClusterNetwork {
  /** Name of the interface on the machine's side: it is there as long as the cluster is. */
  readonly link: string
  /** The node's own address. */
  readonly node: string
  readonly pods: string
}

/** 10.x with x from here on. */
const FIRST = 201
const LAST = 250

/**
 * Joins the network namespace of a process to this machine by a pair of interfaces. There is no default route: pods reach
 * each other, services and, at `address`, servers of this machine. Both ends go when the namespace does.
 */
export async function connectNetwork(pid: number): Promise<NodeNetwork> {
  const { stdout: routes } = await run('ip', ['route', 'show', 'table', 'all'])
  for (let octet = FIRST; octet <= LAST; octet++) {
    if (routes.includes(` 10.${octet}.`) || routes.startsWith(`10.${octet}.`) || routes.includes(`\n10.${octet}.`))
      continue
    const network = networkOf(octet)
    // The name of a link is taken by one process or by none.
    const add = ['link', 'add', network.link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', String(pid)]
    const isOurs = await run('ip', add).then(
      () => true,
      (error: { stderr?: string }) => {
        if (/File exists/.test(error.stderr ?? '')) return false
        throw error
      }
    )
    if (isOurs) {
      await configure(network, pid)
      return network
    }
  }
  throw new Error(`each of 10.${FIRST}.0.0/16 to 10.${LAST}.0.0/16 is in use`)
}

function networkOf(octet: number): NodeNetwork {
  return {
    link: `bronze${octet}`,
    address: `10.${octet}.0.1`,
    node: `10.${octet}.0.2`,
    pods: `10.${octet}.128.0/24`,
    services: `10.${octet}.192.0/20`,
    kubernetes: `10.${octet}.192.1`
  }
}

async function configure({ link, address, node, pods, services }: NodeNetwork, pid: number): Promise<void> {
  const outside = (...args: string[]) => run('ip', args)
  const inside = (...args: string[]) => run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args])
  await outside('addr', 'add', `${address}/30`, 'dev', link)
  await outside('link', 'set', link, 'up')
  await inside('addr', 'add', `${node}/30`, 'dev', 'uplink')
  await inside('link', 'set', 'uplink', 'up')
  // The node's own connections to services need a route before kube-proxy rewrites them.
  await inside('route', 'add', services, 'via', address)
  await outside('route', 'add', pods, 'via', node)
  await outside('route', 'add', services, 'via', node)
}
