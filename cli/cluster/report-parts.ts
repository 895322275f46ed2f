import type { BronzePipeline } from '../../crds/pipeline.ts'
import { settle } from '../../crds/settle.ts'
import { parsePipeline } from '../../crds/validate.ts'
import {
  BUDGETS,
  CONFIG_MAPS,
  DEFINITIONS,
  DEPLOYMENTS,
  KubeError,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
  type KubeObject
} from '../../operator/kube/kube.ts'
import { ownLabels, selectorText } from '../../operator/objects/names.ts'
import { secretsOf } from '../../operator/objects/secret-names.ts'
import { listAll, type Cluster } from './cluster.ts'
import { eventsOf, Looker, podMetrics, podsOf } from './look.ts'
import { OPERATOR_SELECTOR } from './operator-view.ts'
import { podLines } from './pod-logs.ts'
import { viewText } from './view-text.ts'
import { viewOf } from './view.ts'

/** One thing that a report tries to have; `path` without its folder. */
export interface Part {
  readonly path: string
  /** Texts are kept as they are; of all else a JSON text is made. */
  readonly read: () => Promise<unknown>
}

/** A Secret that the pipeline names: what of it may be shown, and what must not appear anywhere. */
export interface SecretSeen {
  readonly name: string
  /** Undefined when we may not see it; empty when it is not there. */
  readonly keys: readonly string[] | undefined
  readonly values: readonly string[]
}

/** Names of the pipeline's Secrets and of their keys; the values are for taking them out of texts alone. */
export async function secretsSeen({ kube }: Cluster, pipeline: BronzePipeline): Promise<readonly SecretSeen[]> {
  const parsed = parsePipeline(pipeline)
  const names = parsed.ok ? secretsOf(settle(parsed.pipeline)) : []
  return await Promise.all(
    names.map(async (name): Promise<SecretSeen> => {
      try {
        const secret = await kube.get(SECRETS, pipeline.metadata.namespace, name)
        const { data = {} } = (secret ?? {}) as { readonly data?: Readonly<Record<string, string>> }
        const values = Object.values(data).map(value => Buffer.from(value, 'base64').toString('utf8'))
        return { name, keys: Object.keys(data), values }
      } catch (error) {
        if (!(error instanceof KubeError)) throw error
        return { name, keys: undefined, values: [] }
      }
    })
  )
}

export interface ReportOptions {
  readonly tailLines: number
  readonly version: string
  readonly signal: AbortSignal
}

/** What a report of a pipeline is made of; pods are looked for first, since each has parts of its own. */
export async function reportParts(
  cluster: Cluster,
  pipeline: BronzePipeline,
  options: ReportOptions
): Promise<readonly Part[]> {
  const { namespace = '', name } = pipeline.metadata
  const labelSelector = selectorText(ownLabels(name))
  const objects = {
    deployments: DEPLOYMENTS,
    configmaps: CONFIG_MAPS,
    serviceaccounts: SERVICE_ACCOUNTS,
    poddisruptionbudgets: BUDGETS
  }
  const pods = await orNone(podsOf(cluster, namespace, name))
  const operators = await orNone(listAll(cluster, PODS, { namespace: undefined, labelSelector: OPERATOR_SELECTOR }))
  return [
    { path: 'status.txt', read: async () => viewText([viewOf(await new Looker(cluster).look(pipeline))]) },
    { path: 'pipeline.json', read: async () => pipeline },
    ...Object.entries(objects).map(([file, type]): Part => {
      return {
        path: `objects/${file}.json`,
        read: async () => await listAll(cluster, type, { namespace, labelSelector })
      }
    }),
    { path: 'objects/pods.json', read: async () => await podsOf(cluster, namespace, name) },
    { path: 'events/pipeline.json', read: async () => await eventsOf(cluster, pipeline) },
    ...pods.flatMap(pod => podParts(cluster, pod, options)),
    {
      path: 'operator/deployments.json',
      read: async () => await listAll(cluster, DEPLOYMENTS, { namespace: undefined, labelSelector: OPERATOR_SELECTOR })
    },
    {
      path: 'operator/pods.json',
      read: async () => await listAll(cluster, PODS, { namespace: undefined, labelSelector: OPERATOR_SELECTOR })
    },
    ...operators.flatMap(pod => operatorParts(cluster, pod, options)),
    {
      path: 'cluster/version.txt',
      read: async () => `cluster ${await cluster.kube.version()}, bronze ${options.version}\n`
    },
    { path: 'cluster/definition.json', read: async () => await definition(cluster) }
  ]
}

function podParts(cluster: Cluster, pod: KubeObject, options: ReportOptions): readonly Part[] {
  const { namespace = '', name } = pod.metadata
  const log = (previous: boolean) => async () =>
    await logText(cluster, pod, options, { previous, container: 'consumer' })
  const metrics = async () => await podMetrics(cluster, namespace, name)
  return [
    { path: `events/${name}.json`, read: async () => await eventsOf(cluster, { ...pod, kind: PODS.kind }) },
    { path: `logs/${name}.log`, read: log(false) },
    ...(hasRestarted(pod) ? [{ path: `logs/${name}.previous.log`, read: log(true) }] : []),
    { path: `metrics/${name}.txt`, read: metrics }
  ]
}

function operatorParts(cluster: Cluster, pod: KubeObject, options: ReportOptions): readonly Part[] {
  const { name } = pod.metadata
  const [container = 'operator'] = (
    (pod as { spec?: { containers?: readonly { name: string }[] } }).spec?.containers ?? []
  ).map(({ name }) => name)
  const log = (previous: boolean) => async () => await logText(cluster, pod, options, { previous, container })
  return [
    { path: `operator/${name}.log`, read: log(false) },
    ...(hasRestarted(pod) ? [{ path: `operator/${name}.previous.log`, read: log(true) }] : [])
  ]
}

const hasRestarted = (pod: KubeObject): boolean =>
  (
    (pod as { status?: { containerStatuses?: readonly { restartCount?: number }[] } }).status?.containerStatuses ?? []
  ).some(({ restartCount = 0 }) => restartCount > 0)

async function logText(
  cluster: Cluster,
  { metadata: { namespace = '', name } }: KubeObject,
  { tailLines, signal }: ReportOptions,
  { previous, container }: { readonly previous: boolean; readonly container: string }
): Promise<string> {
  const lines: string[] = []
  const choice = { sinceSeconds: undefined, tailLines, previous }
  for await (const { text } of podLines(cluster, namespace, name, choice, signal, container)) lines.push(`${text}\n`)
  return lines.join('')
}

/** What of it says which version of ours is there: all of it is half a megabyte. */
async function definition({ kube }: Cluster): Promise<unknown> {
  const found = await kube.get(DEFINITIONS, undefined, 'bronzepipelines.bronze.dev')
  if (found === undefined) return null
  const { spec, status } = found as KubeObject & {
    spec?: { versions?: readonly { name: string; served: boolean }[] }
    status?: object
  }
  const versions = spec?.versions?.map(({ name, served }) => ({ name, served }))
  return { metadata: { ...found.metadata, managedFields: undefined }, versions, status }
}

/** What we may not list has no parts of its own; that we may not is told by the part that lists it. */
async function orNone<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof KubeError) return []
    throw error
  }
}
