import type { BronzePipeline } from '../../crds/pipeline.ts'
import { DEPLOYMENTS, EVENTS, KubeError, PODS, type KubeObject } from '../../operator/kube/kube.ts'
import { consumerName, selectorLabels, selectorText } from '../../operator/objects/names.ts'
import type { Pod } from '../../operator/objects/workload.ts'
import { ifAllowed, listAll, type Cluster } from './cluster.ts'
import type { KubeEvent, Seen } from './view.ts'

const CONSUMER_PORT = 8080
const POD_ANSWER_MS = 2000
const ASKED_AT_ONCE = 8

/** Looks at pipelines through the API server alone. */
export class Looker {
  readonly #cluster: Cluster
  /** Reaching into pods takes more than the role `view`: refused once, it is not tried again. */
  #isRefused = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async look(pipeline: BronzePipeline): Promise<Seen> {
    const { kube } = this.#cluster
    const { namespace = '', name } = pipeline.metadata
    const [deployment, pods, events] = await Promise.all([
      ifAllowed(kube.get(DEPLOYMENTS, namespace, consumerName(name))),
      ifAllowed(podsOf(this.#cluster, namespace, name)),
      ifAllowed(eventsOf(this.#cluster, pipeline))
    ])
    const partitions = await this.#partitions(pods ?? [])
    return { atMs: Date.now(), pipeline, deployment, pods, partitions, events }
  }

  async #partitions(pods: readonly Pod[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    const running = pods.filter(({ status }) => status?.phase === 'Running')
    // The first alone: its answer may be that we may not.
    const groups = [running.slice(0, 1)]
    for (let from = 1; from < running.length; from += ASKED_AT_ONCE) {
      groups.push(running.slice(from, from + ASKED_AT_ONCE))
    }
    for (const group of groups) {
      if (this.#isRefused) break
      const asked = group.map(async ({ metadata: { namespace = '', name } }) => {
        const partitions = await this.#partitionsOf(namespace, name)
        if (partitions !== undefined) found.set(name, partitions)
      })
      await Promise.all(asked)
    }
    return found
  }

  async #partitionsOf(namespace: string, pod: string): Promise<number | undefined> {
    try {
      const text = await podMetrics(this.#cluster, namespace, pod)
      const value = /^bronze_assigned_partitions(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]
      return value === undefined ? undefined : Number(value)
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (error.status === 403) this.#isRefused = true
      return undefined
    }
  }
}

/** What a consumer tells Prometheus. Throws KubeError. */
export async function podMetrics({ kube }: Cluster, namespace: string, pod: string): Promise<string> {
  return await kube.podPage(namespace, pod, CONSUMER_PORT, '/metrics', AbortSignal.timeout(POD_ANSWER_MS))
}

/** The pipeline's consumers, in the order of their names. */
export async function podsOf(cluster: Cluster, namespace: string, pipeline: string): Promise<readonly Pod[]> {
  const labelSelector = selectorText(selectorLabels(pipeline))
  const pods = (await listAll(cluster, PODS, { namespace, labelSelector })) as readonly Pod[]
  return pods.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

/** Events about an object, also about a former one of its name. */
export async function eventsOf(cluster: Cluster, { kind, metadata }: KubeObject): Promise<readonly KubeEvent[]> {
  const { namespace = '', name } = metadata
  const fieldSelector = `involvedObject.name=${name},involvedObject.kind=${kind}`
  return await listAll(cluster, EVENTS, { namespace, fieldSelector })
}
