import type { Cluster, KubeConfig } from '@kubernetes/client-node'
import { readFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import { errorText, FatalError } from '../../lib/errors.ts'
import type { KubeAccess } from './http.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** The kubelet exchanges tokens long before they expire. */
const TOKEN_AGE_MS = 60_000

/** The way into the cluster for a pod, by its service account. */
export async function accessOfPod(host: string, port: string, clock: Clock): Promise<KubeAccess> {
  const address = host.includes(':') ? `[${host}]` : host
  return {
    server: `https://${address}:${port}`,
    ca: await readFile(`${ACCOUNT}/ca.crt`),
    token: tokenFile(`${ACCOUNT}/token`, clock)
  }
}

/** Reads the file again once a minute. */
export function tokenFile(path: string, clock: Clock): () => Promise<string> {
  let kept: { readonly token: string; readonly atMs: number } | undefined
  return async () => {
    const nowMs = clock.now()
    if (kept === undefined || nowMs - kept.atMs > TOKEN_AGE_MS) {
      kept = { token: (await readFile(path, 'utf8')).trim(), atMs: nowMs }
    }
    return kept.token
  }
}

/** Which cluster a user means; what is absent is as kubectl takes it. */
export interface UserChoice {
  /** Path of a kubeconfig. */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
}

export interface UserCluster {
  readonly access: KubeAccess
  /** Name of the context. */
  readonly context: string
  /** That of the context, else `default`. */
  readonly namespace: string
}

/** The way that kubectl would take, outside a cluster. Throws FatalError. */
export async function accessOfUser(): Promise<KubeAccess> {
  return (await clusterOfUser({})).access
}

/**
 * The cluster that kubectl would take: by the kubeconfig, and in a pod that has none by its service account. The library is
 * loaded here alone: it takes 80 MiB. Throws FatalError.
 */
export async function clusterOfUser(choice: UserChoice): Promise<UserCluster> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (choice.kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(choice.kubeconfig)
  } catch (error) {
    throw new FatalError('KubeconfigUnreadable', `the kubeconfig cannot be read: ${errorText(error)}`)
  }
  if (choice.context !== undefined) config.setCurrentContext(choice.context)
  const name = config.getCurrentContext()
  const context = config.getContextObject(name)
  const cluster = config.getCurrentCluster()
  if (cluster === null || cluster === undefined || context === null || name === NO_CONFIG) {
    throw noSuchContext(
      choice.context,
      config.getContexts().map(({ name }) => name)
    )
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    const remedy = 'give it an https:// address, or set insecure-skip-tls-verify'
    throw new FatalError('KubeconfigUnusable', `the cluster of context ${name} has a server without TLS: ${remedy}`)
  }
  return { access: await accessBy(config, cluster), context: name, namespace: context.namespace?.trim() || 'default' }
}

/** What the library calls a configuration that it made up, because there is none. */
const NO_CONFIG = 'loaded-context'

function noSuchContext(wanted: string | undefined, known: readonly string[]): FatalError {
  if (wanted !== undefined) {
    const names = known.filter(name => name !== NO_CONFIG)
    const remedy = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
    return new FatalError('NoSuchContext', `the kubeconfig has no context ${wanted} with a cluster; ${remedy}`)
  }
  const remedy = 'set KUBECONFIG, give --kubeconfig, or choose a context with kubectl config use-context'
  return new FatalError('NoCluster', `no Kubernetes cluster is configured: ${remedy}`)
}

async function accessBy(config: KubeConfig, cluster: Cluster): Promise<KubeAccess> {
  const optionsNow = async () => {
    const options: HttpsOptions = {}
    try {
      await config.applyToHTTPSOptions(options)
    } catch (error) {
      throw new FatalError('LoginFailed', `the kubeconfig's login does not work: ${errorText(error)}`)
    }
    return options
  }
  const token = async () => {
    const { headers } = await optionsNow()
    return new Headers(headers as Record<string, string>).get('authorization')?.replace(/^Bearer /, '')
  }
  const { ca, cert, key, agent, headers } = await optionsNow()
  const impersonated = new Headers(headers as Record<string, string>).get('impersonate-user')
  // Ours keeps connections; theirs knows proxies, other server names and unchecked certificates.
  const isSpecial = [cluster.proxyUrl, cluster.tlsServerName].some(Boolean) || cluster.skipTLSVerify
  return {
    server: cluster.server,
    ca,
    cert,
    key,
    token,
    ...(isSpecial && agent !== undefined ? { agent } : {}),
    ...(impersonated === null ? {} : { headers: { 'impersonate-user': impersonated } })
  }
}

interface HttpsOptions {
  headers?: Record<string, string | string[]>
  ca?: string
  cert?: string
  key?: string
  agent?: Agent
}
