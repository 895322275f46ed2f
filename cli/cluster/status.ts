import type { BronzePipeline } from '../../crds/pipeline.ts'
import { RetryableError } from '../../lib/errors.ts'
import { KubeError } from '../../operator/kube/kube.ts'
import { EXIT_OK, EXIT_PROBLEMS, type Io } from '../command.ts'
import { watched, type Shown } from '../watched.ts'
import type { Cluster } from './cluster.ts'
import { Looker } from './look.ts'
import { allPipelines, pipelinesNamed } from './pipelines.ts'
import { explained } from './trouble.ts'
import { viewJson } from './view-json.ts'
import { viewText } from './view-text.ts'
import { isWell, viewOf, type PipelineView } from './view.ts'

export interface StatusOptions {
  /** None: all of the namespace. */
  readonly names: readonly string[]
  readonly everywhere: boolean
  readonly watch: boolean
  readonly output: 'text' | 'json'
}

/** `status` of pipelines in a cluster. Throws KubeError, FatalError. */
export async function clusterStatus(cluster: Cluster, options: StatusOptions, io: Io): Promise<number> {
  const looker = new Looker(cluster)
  const look = async (): Promise<Shown> => {
    const pipelines = await pipelinesMeant(cluster, options)
    const views: PipelineView[] = []
    // One after another: a namespace may have hundreds, and the API server other users.
    for (const pipeline of pipelines) views.push(viewOf(await looker.look(pipeline)))
    return shown(views, cluster, options, io)
  }
  if (!options.watch) return await watched(look, options, io)
  return await watched(() => look().catch(error => lasting(error, cluster)), options, io)
}

/** Those named, else all of the namespace, or of all namespaces. */
async function pipelinesMeant(
  cluster: Cluster,
  { names, everywhere }: StatusOptions
): Promise<readonly BronzePipeline[]> {
  if (names.length > 0) return await pipelinesNamed(cluster, names)
  return await allPipelines(cluster, everywhere ? undefined : cluster.namespace)
}

function shown(
  views: readonly PipelineView[],
  { namespace }: Cluster,
  { output, everywhere }: StatusOptions,
  { stdout }: Io
): Shown {
  const exitCode = views.every(isWell) ? EXIT_OK : EXIT_PROBLEMS
  if (output === 'json') {
    return { text: views.map(view => `${JSON.stringify(viewJson(view))}\n`).join(''), exitCode }
  }
  if (views.length === 0) {
    return { text: `no pipelines in ${everywhere ? 'any namespace' : `namespace ${namespace}`}\n`, exitCode }
  }
  return { text: viewText(views, stdout.isTTY ? stdout.columns || 80 : Infinity), exitCode }
}

/** A watch outlives trouble that may pass. */
function lasting(error: unknown, { context }: Cluster): Shown {
  const trouble = error instanceof KubeError ? explained(error, context) : error
  if (!(trouble instanceof RetryableError)) throw trouble
  return { text: `${trouble.code}: ${trouble.message}\n`, exitCode: EXIT_PROBLEMS }
}
