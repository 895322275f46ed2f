import { join } from 'node:path'
import type { Pki } from './kube-pki.ts'

/** Where the API server listens, and the addresses of services. */
export interface ClusterNetwork {
  readonly address: string
  /** An IPv4 network, such as `10.0.0.0/16`. */
  readonly services: string
  /** The first address of `services`: the API server's, for pods. */
  readonly kubernetes: string
}

/** Without nodes nobody uses services. */
export const LOOPBACK: ClusterNetwork = { address: '127.0.0.1', services: '10.0.0.0/16', kubernetes: '10.0.0.1' }

/** `--name=value` for each. */
export const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

export const etcdArgs = (folder: string, client: string, peer: string): string[] =>
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

export const apiServerArgs = (pki: Pki['path'], etcd: string, port: number, network: ClusterNetwork): string[] =>
  flags({
    'etcd-servers': etcd,
    'bind-address': network.address,
    'advertise-address': network.address,
    'secure-port': port,
    'tls-cert-file': pki('apiserver.crt'),
    'tls-private-key-file': pki('apiserver.key'),
    'client-ca-file': pki('ca.crt'),
    'authorization-mode': 'Node,RBAC',
    'anonymous-auth': false,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki('accounts.pub'),
    'service-account-signing-key-file': pki('accounts.key'),
    'service-cluster-ip-range': network.services,
    // Without these kube-controller-manager logs errors without end.
    'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': pki('front-proxy.crt'),
    'proxy-client-key-file': pki('front-proxy.key'),
    // A server on 127.0.0.1 cannot publish its own endpoint.
    'endpoint-reconciler-type': network.address === LOOPBACK.address ? 'none' : 'lease',
    'kubelet-client-certificate': pki('kubelet-client.crt'),
    'kubelet-client-key': pki('kubelet-client.key'),
    'kubelet-certificate-authority': pki('ca.crt'),
    'kubelet-preferred-address-types': 'InternalIP',
    profiling: false
  })

export const managerArgs = (pki: Pki['path'], folder: string, port: number): string[] =>
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
