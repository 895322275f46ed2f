import { readFile } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'
import type { KubeAccess } from './kube-client.ts'

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

/** The way that kubectl would take, outside a cluster. The library is loaded here alone: it takes 80 MiB. */
export async function accessOfUser(): Promise<KubeAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromDefault()
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error('no Kubernetes cluster is configured: set KUBECONFIG')
  const token = async () => {
    const options: { headers?: Record<string, string | string[]> } = {}
    await config.applyToHTTPSOptions(options)
    const header = new Headers(options.headers as Record<string, string>).get('authorization')
    return header?.replace(/^Bearer /, '')
  }
  const options: { ca?: string; cert?: string; key?: string } = {}
  await config.applyToHTTPSOptions(options)
  return { server: cluster.server, ca: options.ca, cert: options.cert, key: options.key, token }
}
