import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { installed } from './cache.ts'
import type { Identity, Leaf } from './certificates.ts'
import { LOOPBACK, apiServerArgs, etcdArgs, flags, managerArgs, type ClusterNetwork } from './kube-flags.ts'
import { writePki, type Pki } from './kube-pki.ts'
import { freePorts, startProcess, stateFolder, untilReady, type ServerProcess } from './process.ts'
import { shared } from './shared.ts'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A Kubernetes API server on 127.0.0.1 with RBAC; there are no nodes, so no pod ever runs (`test/cluster/` adds one). */
export interface KubeAddresses {
  /** `https://127.0.0.1:port` */
  readonly server: string
  /** Path of a kubeconfig for a cluster administrator. */
  readonly kubeconfig: string
  /** PEM. */
  readonly ca: string
  /** Runs kubectl as the administrator; a failure is a value. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<Finished>
  /** Runs Helm likewise; ask `need('helm')` before. */
  readonly helm: (args: readonly string[], input?: string) => Promise<Finished>
  /** Runs Helm 3; ask `need('packaging')` before. */
  readonly helm3: (args: readonly string[], input?: string) => Promise<Finished>
  /** A token of a service account that exists. */
  readonly token: (namespace: string, serviceAccount: string) => Promise<string>
}

export interface KubeServer extends KubeAddresses {
  readonly stop: () => Promise<void>
  /** Ends the API server as a crash does, and starts it again with the same state. */
  readonly restartApiServer: () => Promise<void>
  /** A certificate of the cluster's authority. */
  readonly issue: (leaf: Leaf) => Identity
  /** Writes the kubeconfig of another user, `organization` is their group; gives its path. */
  readonly kubeconfigOf: (file: string, commonName: string, organization?: string) => Promise<string>
}

export interface KubeOptions {
  /** Whether kube-controller-manager runs too: Deployments, namespace deletion, garbage collection. Default true. */
  readonly controllers?: boolean
  /** Flags of kube-apiserver beside ours, such as `audit-log-path`. */
  readonly flags?: Readonly<Record<string, string>>
  /** Where nodes and pods reach it; loopback, and no nodes, when absent. */
  readonly network?: ClusterNetwork
}

let own: Promise<KubeServer> | undefined

/**
 * The cluster of the whole test run, controllers included, or one for this process. Others use it too: take unique
 * namespaces.
 */
export async function sharedKube(): Promise<KubeAddresses> {
  const at = shared('kube') as Where | undefined
  return at === undefined ? (own ??= startKube()) : addresses(at)
}

/** What of a cluster can be told to another process. */
interface Where {
  readonly server: string
  readonly kubeconfig: string
  readonly ca: string
}

/** A control plane of its own. Its CRDs may answer 429 for a second or two after they are established. */
export async function startKube(options: KubeOptions = {}): Promise<KubeServer> {
  const { controllers = true, flags: others = {}, network = LOOPBACK } = options
  const state = await stateFolder('kube')
  const [etcdPort = 0, peerPort = 0, port = 0, managerPort = 0] = await freePorts(4)
  const server = `https://${network.address}:${port}`
  const pki = await writePki(state.path, server, [...new Set(['127.0.0.1', network.address, network.kubernetes])])
  const running = new Map<string, ServerProcess>()
  const start = async (program: string, args: readonly string[], check: () => Promise<boolean>) => {
    // Each would remove the state folder of all when this process dies; the first is enough.
    const owner = running.size === 0 ? { state: state.path } : {}
    const child = startProcess(installed('kube', program), args, { log: join(state.path, `${program}.log`), ...owner })
    running.set(program, child)
    await untilReady(program, child, check)
  }
  const stop = async () => {
    // An API server with nodes takes ten seconds over its farewell.
    for (const child of [...running.values()].toReversed()) await child.stop(2000)
    await state.remove()
  }
  const at = { server, kubeconfig: join(state.path, 'admin.kubeconfig'), ca: pki.ca }
  const etcd = `http://127.0.0.1:${etcdPort}`
  const startApiServer = async () => {
    const args = [...apiServerArgs(pki.path, etcd, port, network), ...flags(others)]
    await start('kube-apiserver', args, () => isReady(network.address, port, pki))
  }
  try {
    const etcdFlags = etcdArgs(state.path, etcd, `http://127.0.0.1:${peerPort}`)
    await start('etcd', etcdFlags, async () => (await fetch(`${etcd}/health`)).ok)
    await startApiServer()
    if (controllers) {
      const hasAccount = async () =>
        (await addresses(at).kubectl(['-n', 'default', 'get', 'serviceaccount', 'default'])).code === 0
      await start('kube-controller-manager', managerArgs(pki.path, state.path, managerPort), hasAccount)
    }
  } catch (error) {
    await stop()
    throw error
  }
  const restartApiServer = async () => {
    await running.get('kube-apiserver')?.kill()
    await startApiServer()
  }
  return { ...addresses(at), stop, restartApiServer, issue: pki.issue, kubeconfigOf: pki.kubeconfig }
}

function addresses(at: Where): KubeAddresses {
  const env = { KUBECONFIG: at.kubeconfig, HELM_DRIVER: 'secret' }
  const kubectl = (args: readonly string[], input = '') => finish(installed('kube', 'kubectl'), args, input, env)
  return {
    ...at,
    kubectl,
    helm: (args, input = '') => finish(installed('kube', 'helm'), args, input, env),
    helm3: (args, input = '') => finish(installed('packaging', 'helm'), args, input, env),
    token: async (namespace, serviceAccount) => {
      const { code, stdout, stderr } = await kubectl(['-n', namespace, 'create', 'token', serviceAccount])
      if (code !== 0) throw new Error(`no token for ${namespace}/${serviceAccount}: ${stderr}`)
      return stdout.trim()
    }
  }
}

async function finish(
  program: string,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv
): Promise<Finished> {
  const child = spawn(program, args, { env: { ...process.env, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A program that does not read its input may have ended before all was written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, stdout, stderr }
}

function isReady(host: string, port: number, { ca, admin }: Pki): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const options = { host, port, path: '/readyz', ca, ...admin, agent: false, timeout: 2000 }
  const sent = request(options, response => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  sent.on('timeout', () => sent.destroy())
  sent.on('error', () => resolve(false))
  sent.end()
  return promise
}
