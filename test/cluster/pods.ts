import assert from 'node:assert/strict'
import type { Cluster } from './cluster.ts'
import { until } from './steps.ts'

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status: {
    readonly phase: string
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[]
    readonly containerStatuses?: readonly {
      readonly containerID?: string
      readonly ready: boolean
      readonly restartCount: number
      readonly lastState?: { readonly terminated?: { readonly reason?: string } }
    }[]
  }
}

/** kubectl in one namespace; throws when it fails. */
export type Kubectl = (...args: string[]) => Promise<string>

export const kubectlIn =
  (cluster: Cluster, namespace: string): Kubectl =>
  async (...args) => {
    const { code, stdout, stderr } = await cluster.kube.kubectl(['-n', namespace, ...args])
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }

/** Pods that are not on their way out. */
export async function pods(kubectl: Kubectl, selector: string): Promise<Pod[]> {
  const { items } = JSON.parse(await kubectl('get', 'pods', '-l', selector, '-o', 'json')) as { items: Pod[] }
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

export const isReady = ({ status }: Pod): boolean => status.containerStatuses?.every(({ ready }) => ready) ?? false

/** Waits until there are just so many, all of them ready. */
export const readyPods = (kubectl: Kubectl, selector: string, count: number): Promise<Pod[]> =>
  until(
    `${count} ready pods of ${selector}`,
    () => pods(kubectl, selector),
    found => found.length === count && found.every(isReady)
  )

/** The id by which containerd knows the pod's container. */
export function containerOf(pod: Pod): string {
  const id = pod.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '')
  assert.ok(id, `${pod.metadata.name} has no container`)
  return id
}

/** SIGKILL for the pod's main process, from outside: nothing in the pod can prepare for it. */
export function killProcess(cluster: Cluster, pod: Pod): void {
  const [pid] = cluster.processesOf(containerOf(pod))
  assert.ok(pid, `${pod.metadata.name} has no process`)
  process.kill(pid, 'SIGKILL')
}
