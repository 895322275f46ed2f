import type { BronzePipeline } from '../../crds/pipeline.ts'
import { FatalError } from '../../lib/errors.ts'
import { KubeError, PIPELINES } from '../../operator/kube/kube.ts'
import { ifAllowed, listAll, type Cluster } from './cluster.ts'
import { notInstalled } from './trouble.ts'

/** The pipelines of these names, as the API server gives them. Throws FatalError when one is not there. */
export async function pipelinesNamed(cluster: Cluster, names: readonly string[]): Promise<readonly BronzePipeline[]> {
  return await Promise.all([...new Set(names)].map(name => pipelineNamed(cluster, name)))
}

export async function pipelineNamed(cluster: Cluster, name: string): Promise<BronzePipeline> {
  const found = await cluster.kube.get(PIPELINES, cluster.namespace, name)
  if (found === undefined) throw await notThere(cluster, name)
  return found as BronzePipeline
}

/** All of a namespace, or of all when it is undefined, in the order of their names. */
export async function allPipelines(
  cluster: Cluster,
  namespace: string | undefined
): Promise<readonly BronzePipeline[]> {
  try {
    const found = await listAll(cluster, PIPELINES, { namespace })
    return (found as readonly BronzePipeline[]).toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) throw notInstalled(cluster.context)
    throw error
  }
}

const orderOf = ({ metadata }: BronzePipeline) => `${metadata.namespace} ${metadata.name}`

async function notThere(cluster: Cluster, name: string): Promise<FatalError> {
  const { namespace, context } = cluster
  const here = (await ifAllowed(allPipelines(cluster, namespace))) ?? []
  const near = nearest(
    name,
    here.map(({ metadata }) => metadata.name)
  )
  const elsewhere = near === undefined ? await ifAllowed(allPipelines(cluster, undefined)) : undefined
  const others = (elsewhere ?? []).filter(({ metadata }) => metadata.name === name)
  const hint =
    near !== undefined
      ? `did you mean ${near}?`
      : others.length > 0
        ? `there is one in ${others.map(({ metadata }) => metadata.namespace).join(', ')}: give -n`
        : here.length > 0
          ? `there are ${listed(here.map(({ metadata }) => metadata.name))}`
          : `there is none in this namespace`
  return new FatalError('NoSuchPipeline', `there is no pipeline ${name} in ${namespace} (context ${context}); ${hint}`)
}

const SHOWN = 10

const listed = (names: readonly string[]) =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`

/** The name that somebody may have meant: at most a third of it, or two letters, are others. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map(name => ({ name, distance: distance(wanted, name) }))
    .filter(({ name, distance }) => distance < name.length && distance <= Math.max(2, Math.floor(name.length / 3)))
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.name
}

/** Letters to put in, take out or exchange (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const [above = 0, left = 0, before = 0] = [row[j], next[j - 1], row[j - 1]]
      next.push(Math.min(above + 1, left + 1, before + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}
