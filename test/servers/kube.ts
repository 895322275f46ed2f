import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { installed } from './cache.ts'
import { Authority, keyPair, type Identity } from './certificates.ts'
import { freePorts, startProcess, stateFolder, untilReady, type ServerProcess } from './process.ts'
import { shared } from './shared.ts'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A Kubernetes API server on 127.0.0.1 with RBAC; there are no nodes, so no pod ever runs. */
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
}

export interface KubeOptions {
  /** Whether kube-controller-manager runs too: Deployments, namespace deletion, garbage collection. Default true. */
  readonly controllers?: boolean
  /** Flags of kube-apiserver beside ours, such as `audit-log-path`. */
  readonly flags?: Readonly<Record<string, string>>
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
export async function startKube({ controllers = true, flags: others = {} }: KubeOptions = {}): Promise<KubeServer> {
  const state = await stateFolder('kube')
  const [etcdPort = 0, peerPort = 0, port = 0, managerPort = 0] = await freePorts(4)
  const server = `https://127.0.0.1:${port}`
  const pki = await writePki(state.path, server)
  const running: ServerProcess[] = []
  const start = async (program: string, args: readonly string[], check: () => Promise<boolean>) => {
    // Each would remove the state folder of all when this process dies; the first is enough.
    const owner = running.length === 0 ? { state: state.path } : {}
    const child = startProcess(installed('kube', program), args, { log: join(state.path, `${program}.log`), ...owner })
    running.unshift(child)
    await untilReady(program, child, check)
  }
  const stop = async () => {
    for (const child of running) await child.stop()
    await state.remove()
  }
  const at = { server, kubeconfig: join(state.path, 'admin.kubeconfig'), ca: pki.ca }
  try {
    const etcd = `http://127.0.0.1:${etcdPort}`
    await start(
      'etcd',
      etcdArgs(state.path, etcd, `http://127.0.0.1:${peerPort}`),
      async () => (await fetch(`${etcd}/health`)).ok
    )
    const apiServer = [...apiServerArgs(pki.path, etcd, port), ...flags(others)]
    await start('kube-apiserver', apiServer, () => isReady(port, pki))
    if (controllers) {
      const hasAccount = async () =>
        (await addresses(at).kubectl(['-n', 'default', 'get', 'serviceaccount', 'default'])).code === 0
      await start('kube-controller-manager', managerArgs(pki.path, state.path, managerPort), hasAccount)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { ...addresses(at), stop }
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

interface Pki {
  readonly path: (name: string) => string
  readonly ca: string
  readonly admin: Identity
}

async function writePki(folder: string, server: string): Promise<Pki> {
  const path = (name: string) => join(folder, 'pki', name)
  await mkdir(path(''))
  const authority = new Authority('kubernetes')
  const frontProxyAuthority = new Authority('front-proxy')
  const client = (commonName: string, organization?: string) =>
    authority.issue({ commonName, usage: 'client', ...(organization === undefined ? {} : { organization }) })
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const identities = {
    apiserver: authority.issue({
      commonName: 'kube-apiserver',
      usage: 'server',
      dnsNames: names,
      addresses: ['127.0.0.1', '10.0.0.1']
    }),
    'front-proxy': frontProxyAuthority.issue({ commonName: 'front-proxy-client', usage: 'client' }),
    ca: authority,
    'front-proxy-ca': frontProxyAuthority
  }
  for (const [name, { cert, key }] of Object.entries(identities)) {
    await writeFile(path(`${name}.crt`), cert)
    await writeFile(path(`${name}.key`), key)
  }
  const accounts = keyPair()
  await writeFile(path('accounts.pub'), accounts.publicKey)
  await writeFile(path('accounts.key'), accounts.privateKey)
  const admin = client('admin', 'system:masters')
  const manager = client('system:kube-controller-manager')
  await writeFile(join(folder, 'admin.kubeconfig'), kubeconfig(server, authority.cert, admin))
  await writeFile(join(folder, 'manager.kubeconfig'), kubeconfig(server, authority.cert, manager))
  return { path, ca: authority.cert, admin }
}

function kubeconfig(server: string, ca: string, { cert, key }: Identity): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    'current-context': 'test'
  })
}

function isReady(port: number, { ca, admin }: Pki): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const options = { host: '127.0.0.1', port, path: '/readyz', ca, ...admin, agent: false, timeout: 2000 }
  const sent = request(options, response => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  sent.on('timeout', () => sent.destroy())
  sent.on('error', () => resolve(false))
  sent.end()
  return promise
}

const flags = (values: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

const etcdArgs = (folder: string, client: string, peer: string) =>
  flags({
    name: 'test',
    'data-dir': join(folder, 'etcd'),
    // Nothing here survives the machine anyway.
    'unsafe-no-fsync': true,
    'log-level': 'warn',
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `test=${peer}`
  })

const apiServerArgs = (pki: Pki['path'], etcd: string, port: number) =>
  flags({
    'etcd-servers': etcd,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': pki('apiserver.crt'),
    'tls-private-key-file': pki('apiserver.key'),
    'client-ca-file': pki('ca.crt'),
    'authorization-mode': 'Node,RBAC',
    'anonymous-auth': false,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki('accounts.pub'),
    'service-account-signing-key-file': pki('accounts.key'),
    'service-cluster-ip-range': '10.0.0.0/16',
    // Without these kube-controller-manager logs errors without end.
    'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': pki('front-proxy.crt'),
    'proxy-client-key-file': pki('front-proxy.key'),
    // A server on 127.0.0.1 cannot publish its own endpoint.
    'endpoint-reconciler-type': 'none',
    profiling: false
  })

const managerArgs = (pki: Pki['path'], folder: string, port: number) =>
  flags({
    kubeconfig: join(folder, 'manager.kubeconfig'),
    'authentication-kubeconfig': join(folder, 'manager.kubeconfig'),
    'authorization-kubeconfig': join(folder, 'manager.kubeconfig'),
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'leader-elect': false,
    'use-service-account-credentials': true,
    'root-ca-file': pki('ca.crt'),
    'service-account-private-key-file': pki('accounts.key'),
    'cluster-signing-cert-file': pki('ca.crt'),
    'cluster-signing-key-file': pki('ca.key'),
    // At the default of 20 requests a second it takes five seconds to be useful.
    'kube-api-qps': 300,
    'kube-api-burst': 600,
    profiling: false
  })
