import type { ParseArgsOptionsConfig } from 'node:util'
import { systemClock } from '../../lib/clock.ts'
import { clusterOfUser } from '../../operator/kube/access.ts'
import { KubeClient } from '../../operator/kube/client.ts'
import { KubeError, type KubeObject, type ResourceType, type Selection } from '../../operator/kube/kube.ts'
import { explained } from './trouble.ts'

/** How commands are told which cluster and namespace are meant. */
export const CLUSTER_OPTIONS = {
  namespace: { type: 'string', short: 'n' },
  context: { type: 'string' },
  kubeconfig: { type: 'string' }
} as const satisfies ParseArgsOptionsConfig

export const CLUSTER_HELP = `  -n, --namespace NAME  where NAME is in the cluster; the kubeconfig's context says so when not given
      --context NAME    another context of the kubeconfig
      --kubeconfig FILE another kubeconfig`

export interface ClusterChoice {
  readonly namespace?: string | undefined
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
}

/** A cluster as its user reaches it. */
export interface Cluster {
  readonly kube: KubeClient
  readonly context: string
  /** The one that is meant when none is named. */
  readonly namespace: string
}

/** How we are called as the owner of fields that we set. */
export const FIELD_MANAGER = 'kubectl-bronze'

/** Does `work` with the cluster, and leaves no connection. Throws FatalError and RetryableError in place of KubeError. */
export async function withCluster<T>(choice: ClusterChoice, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const { access, context, namespace } = await clusterOfUser(choice)
  const kube = new KubeClient(access, systemClock)
  try {
    return await work({ kube, context, namespace: choice.namespace ?? namespace })
  } catch (error) {
    throw error instanceof KubeError ? explained(error, context) : error
  } finally {
    kube.close()
  }
}

const NEVER = new AbortController().signal

/** All pages together. */
export async function listAll(
  { kube }: Pick<Cluster, 'kube'>,
  type: ResourceType,
  selection: Selection,
  signal: AbortSignal = NEVER
): Promise<readonly KubeObject[]> {
  const items: KubeObject[] = []
  let next: string | undefined
  do {
    const page = await kube.list(type, selection, next, signal)
    items.push(...page.items)
    next = page.next
  } while (next !== undefined)
  return items
}

/** Undefined where the API server does not let us: what is told without it is less, not wrong. */
export async function ifAllowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof KubeError && error.status === 403) return undefined
    throw error
  }
}
