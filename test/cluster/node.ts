import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installed } from '../servers/cache.ts'
import type { KubeServer } from '../servers/kube.ts'
import { freePorts, startProcess, untilReady } from '../servers/process.ts'
import { isUnified } from './cgroups.ts'
import type { Namespaces } from './namespaces.ts'
import type { NodeNetwork } from './network.ts'

export const NODE = 'node-1'

interface NodeParts {
  readonly state: string
  readonly namespaces: Namespaces
  readonly network: NodeNetwork
  readonly kube: KubeServer
  readonly socket: string
  /** Parent of the pods' cgroups. */
  readonly cgroup: string
}

/** Gives pods a node; on the machine's side. */
export async function startScheduler(state: string, kube: KubeServer): Promise<() => Promise<void>> {
  const config = await kube.kubeconfigOf('scheduler.kubeconfig', 'system:kube-scheduler')
  const [port = 0] = await freePorts(1)
  const uses = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    name => `--${name}=${config}`
  )
  const args = [...uses, '--bind-address=127.0.0.1', `--secure-port=${port}`, '--leader-elect=false']
  const log = join(state, 'kube-scheduler.log')
  const server = startProcess(installed('node', 'kube-scheduler'), args, { log })
  await untilReady('kube-scheduler', server, async () => server.isRunning())
  return server.stop
}

/** The agent that runs pods. */
export async function startKubelet(parts: NodeParts): Promise<void> {
  const { state, namespaces, network, kube } = parts
  const pki = join(state, 'kubelet-pki')
  await mkdir(pki)
  const { cert, key } = kube.issue({ commonName: NODE, usage: 'server', dnsNames: [NODE], addresses: [network.node] })
  const files = { 'server.crt': cert, 'server.key': key, 'ca.crt': kube.ca }
  for (const [name, text] of Object.entries(files)) await writeFile(join(pki, name), text)
  const config = join(state, 'kubelet.json')
  await writeFile(config, JSON.stringify(kubeletConfig(parts, pki)))
  const kubeconfig = await kube.kubeconfigOf('kubelet.kubeconfig', `system:node:${NODE}`, 'system:nodes')
  const flags = [`--config=${config}`, `--kubeconfig=${kubeconfig}`, `--root-dir=${state}/kubelet`]
  const who = [`--cert-dir=${pki}`, `--hostname-override=${NODE}`, `--node-ip=${network.node}`]
  const log = join(state, 'kubelet.log')
  const server = namespaces.start(installed('node', 'kubelet'), [...flags, ...who], log)
  const ready = ['wait', '--for=condition=Ready', `node/${NODE}`, '--timeout=1s']
  await untilReady('kubelet', server, async () => (await kube.kubectl(ready)).code === 0)
}

const kubeletConfig = ({ state, socket, cgroup }: NodeParts, pki: string) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: '0.0.0.0',
  healthzBindAddress: '127.0.0.1',
  readOnlyPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: join(pki, 'ca.crt') }
  },
  authorization: { mode: 'AlwaysAllow' },
  tlsCertFile: join(pki, 'server.crt'),
  tlsPrivateKeyFile: join(pki, 'server.key'),
  containerRuntimeEndpoint: `unix://${socket}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroup}`,
  // From 1.35 on kubelet wants to be asked for version 1.
  failCgroupV1: isUnified(),
  failSwapOn: false,
  oomScoreAdj: 0,
  resolvConf: '',
  // No names are served: a question is refused at once.
  clusterDomain: 'cluster.local',
  clusterDNS: ['127.0.0.1'],
  nodeStatusUpdateFrequency: '4s',
  // How soon a changed Secret is in the files of a pod, at the latest.
  syncFrequency: '10s',
  volumePluginDir: `${state}/volume-plugins`,
  podLogsDir: `${state}/pod-logs`,
  imageGCHighThresholdPercent: 100,
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1Gi', 'imagefs.available': '1Gi' }
})

/** What makes services of addresses. */
export async function startProxy({ state, namespaces, network, kube }: NodeParts): Promise<void> {
  const binding = ['create', 'clusterrolebinding', 'kube-proxy', '--clusterrole=system:node-proxier']
  await kube.kubectl([...binding, '--user=system:kube-proxy'])
  const config = join(state, 'kube-proxy.json')
  const kubeconfig = await kube.kubeconfigOf('proxy.kubeconfig', 'system:kube-proxy')
  const settings = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode: 'iptables',
    clusterCIDR: network.pods,
    hostnameOverride: NODE,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    oomScoreAdj: 0,
    // Limits of the whole machine, which are left alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' }
  }
  await writeFile(config, JSON.stringify(settings))
  const log = join(state, 'kube-proxy.log')
  const server = namespaces.start(installed('node', 'kube-proxy'), [`--config=${config}`], log)
  await untilReady('kube-proxy', server, async () => server.isRunning())
}
