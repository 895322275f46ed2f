import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Authority, keyPair, type Identity, type Leaf } from './certificates.ts'

/** Keys and certificates of one control plane, in the folder `pki` of its state. */
export interface Pki {
  readonly path: (name: string) => string
  readonly ca: string
  readonly admin: Identity
  /** A certificate of the cluster's own authority. */
  readonly issue: (leaf: Leaf) => Identity
  /** Writes the kubeconfig of a user that the API server knows by a certificate; gives its path. */
  readonly kubeconfig: (file: string, commonName: string, organization?: string) => Promise<string>
}

/** `addresses` are those by which the API server is reached. */
export async function writePki(folder: string, server: string, addresses: readonly string[]): Promise<Pki> {
  const path = (name: string) => join(folder, 'pki', name)
  await mkdir(path(''))
  const authority = new Authority('kubernetes')
  const frontProxyAuthority = new Authority('front-proxy')
  const client = (commonName: string, organization?: string) =>
    authority.issue({ commonName, usage: 'client', ...(organization === undefined ? {} : { organization }) })
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const identities = {
    apiserver: authority.issue({ commonName: 'kube-apiserver', usage: 'server', dnsNames: names, addresses }),
    'kubelet-client': client('kube-apiserver-kubelet-client', 'system:masters'),
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
  const write = async (file: string, user: Identity) => {
    await writeFile(join(folder, file), kubeconfig(server, authority.cert, user))
    return join(folder, file)
  }
  await write('admin.kubeconfig', admin)
  await write('manager.kubeconfig', client('system:kube-controller-manager'))
  return {
    path,
    ca: authority.cert,
    admin,
    issue: leaf => authority.issue(leaf),
    kubeconfig: (file, ...who) => write(file, client(...who))
  }
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
