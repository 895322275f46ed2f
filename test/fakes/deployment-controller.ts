import { DEPLOYMENTS, PODS, type KubeObject } from '../../operator/kube/kube.ts'
import type { FakeCluster } from './cluster.ts'

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: { readonly metadata: { readonly labels?: Record<string, string> }; readonly spec: object }
  }
  readonly status?: { readonly observedGeneration?: number }
}

/** Makes the pods that Deployments ask for, ready at once, and says so in their status. */
export function controlDeployments(cluster: FakeCluster): void {
  cluster.onWritten = object => {
    if (object.kind === DEPLOYMENTS.kind) void reconcile(cluster, object as Deployment)
  }
}

/** All calls of the cluster act before they first wait: nothing happens in between. */
async function reconcile(cluster: FakeCluster, deployment: Deployment): Promise<void> {
  const { spec, status, metadata } = deployment
  if (status?.observedGeneration === metadata.generation) return
  const { namespace = '', name, uid = '' } = metadata
  const { replicas = 1, template } = spec
  const wanted = new Map(Array.from({ length: replicas }, (_, slot) => [`${name}-${slot}`, slot]))
  const calls: Promise<unknown>[] = []
  for (const pod of cluster.of('Pod')) {
    const isOurs = pod.metadata.ownerReferences?.some(owner => owner.uid === uid) === true
    if (isOurs && !wanted.has(pod.metadata.name)) calls.push(cluster.delete(PODS, pod))
  }
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }
  for (const pod of wanted.keys()) {
    const labels = template.metadata.labels ?? {}
    const made = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: pod, labels, ownerReferences: [owner] },
      spec: template.spec
    }
    const ready = {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-06-01T12:00:00Z' }],
      containerStatuses: [{ name: 'consumer', ready: true }]
    }
    calls.push(cluster.apply(PODS, made), cluster.applyStatus(PODS, { ...made, status: ready } as KubeObject))
  }
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas }
  const now = { ...counts, observedGeneration: metadata.generation }
  calls.push(
    cluster.applyStatus(DEPLOYMENTS, { ...deployment, metadata: { namespace, name }, status: now } as KubeObject)
  )
  await Promise.all(calls)
}
