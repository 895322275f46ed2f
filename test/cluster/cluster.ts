import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { startKube, type KubeServer } from '../servers/kube.ts'
import { stateFolder } from '../servers/process.ts'
import { makeCgroups, memoryPeakBytes, processesOf, removeCgroups } from './cgroups.ts'
import { makeNamespaces } from './namespaces.ts'
import { connectNetwork, type NodeNetwork } from './network.ts'
import { startKubelet, startProxy, startScheduler } from './node.ts'
import { startRuntime, type Runtime } from './runtime.ts'

/** A whole Kubernetes with one node that runs pods. Needs root and Linux. */
export interface Cluster extends Pick<Runtime, 'importImage' | 'tagImage'> {
  readonly kube: KubeServer
  /** `network.address` is this machine as pods see it: servers for them listen there. */
  readonly network: NodeNetwork
  /** Everything that the cluster keeps, and the name of its cgroups. */
  readonly state: string
  readonly processesOf: (containerId: string) => number[]
  readonly memoryPeakBytes: (containerId: string) => number | undefined
  /** Ends all of it and leaves nothing. The same happens when this process dies, however it does. */
  readonly stop: () => Promise<void>
}

/**
 * The node's programs run in namespaces of mounts, network and processes of their own, so that the death of one process takes
 * all others, every mount and every interface along; only cgroups and files remain to be removed.
 */
export async function startCluster(): Promise<Cluster> {
  const state = await stateFolder('cluster')
  const name = basename(state.path)
  const sweep = removeCgroups(name)
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const each of stops) await each()
    await promisify(execFile)('/bin/sh', ['-c', sweep])
    await state.remove()
  }
  try {
    await makeCgroups(name)
    const namespaces = await makeNamespaces(state.path, sweep)
    // First of all: an API server waits long for clients to go before it ends.
    stops.push(namespaces.stop)
    const network = await connectNetwork(namespaces.pid)
    const kube = await startKube({ network })
    stops.push(await startScheduler(state.path, kube), kube.stop)
    const runtime = await startRuntime(state.path, namespaces, network)
    const parts = { state: state.path, namespaces, network, kube, socket: runtime.socket, cgroup: name }
    await startKubelet(parts)
    await startProxy(parts)
    return {
      kube,
      network,
      state: state.path,
      importImage: runtime.importImage,
      tagImage: runtime.tagImage,
      processesOf: containerId => processesOf(name, containerId),
      memoryPeakBytes: containerId => memoryPeakBytes(name, containerId),
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}
