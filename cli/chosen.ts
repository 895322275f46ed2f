import type { ParseArgsOptionsConfig } from 'node:util'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { parsePipeline } from '../crds/validate.ts'
import { systemClock } from '../lib/clock.ts'
import { SecretReader } from '../operator/kube/secrets.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, withCluster, type Cluster, type ClusterChoice } from './cluster/cluster.ts'
import { pipelinesNamed } from './cluster/pipelines.ts'
import { EXIT_PROBLEMS, UsageError, type Io } from './command.ts'
import { namedPipelines, pipelineId, problemText, readManifests, STDIN } from './manifests.ts'
import type { SecretSources } from './secrets.ts'

/** How commands are told which pipelines are meant: files, or names in a cluster. */
export const CHOICE_OPTIONS = {
  filename: { type: 'string', short: 'f', multiple: true },
  name: { type: 'string' },
  secrets: { type: 'string' },
  ...CLUSTER_OPTIONS
} as const satisfies ParseArgsOptionsConfig

export const FILE_HELP = `  -f, --filename FILE   a YAML or JSON file of one or more documents, a folder of such files, or - for standard input;
                        may be given several times. Documents of kind Secret serve the pipelines' references`

export const CHOICE_HELP = `${FILE_HELP}
      --name PIPELINE   only this one of the files: NAME or NAMESPACE/NAME
${CLUSTER_HELP}
      --secrets DIR     Secrets as a pod mounts them: DIR/<name>/<key>; they go before those of the cluster`

interface ChoiceValues extends ClusterChoice {
  readonly filename?: readonly string[] | undefined
  readonly name?: string | undefined
  readonly secrets?: string | undefined
}

export type Choice =
  | { readonly from: 'files'; readonly paths: readonly string[]; readonly name: string | undefined }
  | { readonly from: 'cluster'; readonly names: readonly string[] }

/**
 * What the arguments mean: files where `-f` is given, or where they look like files; else names of pipelines in the cluster.
 * Throws UsageError for both at once.
 */
export function choiceOf(
  values: ChoiceValues,
  positionals: readonly string[],
  { filesAreForCluster = false } = {}
): Choice {
  const isFile = (text: string) => text === STDIN || text.includes('/') || /\.(?:ya?ml|json)$/.test(text)
  const { filename, name } = values
  const hasFiles = filename !== undefined || positionals.some(isFile)
  if (!hasFiles) {
    if (name !== undefined)
      throw new UsageError('--name chooses among the pipelines of files: leave it out, or give -f')
    return { from: 'cluster', names: positionals }
  }
  if (filename === undefined && !positionals.every(isFile)) {
    const odd = positionals.find(text => !isFile(text))
    throw new UsageError(`${odd} looks like the name of a pipeline, and others like files: name files with -f`)
  }
  const option = (['namespace', 'context', 'kubeconfig'] as const).find(option => values[option] !== undefined)
  if (option !== undefined && !filesAreForCluster)
    throw new UsageError(`--${option} goes with the name of a pipeline in a cluster, not with -f`)
  return { from: 'files', paths: [...(filename ?? []), ...positionals], name }
}

export interface Chosen {
  readonly pipelines: readonly [BronzePipeline, ...BronzePipeline[]]
  readonly sources: SecretSources
}

/**
 * Does `work` with the pipelines that are meant, with defaults filled. Those of files and of the cluster that are not valid are
 * told with their problems, and the exit code is 1.
 */
export async function withChosen(
  values: ChoiceValues,
  positionals: readonly string[],
  io: Io,
  work: (chosen: Chosen) => Promise<number>
): Promise<number> {
  const choice = choiceOf(values, positionals)
  const { cwd } = io
  if (choice.from === 'files') {
    const { pipelines, secrets, problems } = await readManifests(choice.paths, io)
    for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
    if (problems.length > 0) return EXIT_PROBLEMS
    const sources = { secrets, secretsFolder: values.secrets, cwd }
    return await work({ pipelines: namedPipelines(pipelines, choice.name), sources })
  }
  if (choice.names.length === 0) throw new UsageError('name the pipeline, or its file with -f')
  return await withCluster(values, async cluster => {
    const [first, ...rest] = accepted(await pipelinesNamed(cluster, choice.names), io)
    if (first === undefined || rest.length + 1 < new Set(choice.names).size) return EXIT_PROBLEMS
    const sources = { secrets: [], secretsFolder: values.secrets, cwd, ofCluster: secretsOfCluster(cluster) }
    return await work({ pipelines: [first, ...rest], sources })
  })
}

/** Exactly one. */
export async function withChosenOne(
  values: ChoiceValues,
  positionals: readonly string[],
  io: Io,
  work: (document: BronzePipeline, sources: SecretSources) => Promise<number>
): Promise<number> {
  return await withChosen(values, positionals, io, async ({ pipelines: [document, ...more], sources }) => {
    if (more.length === 0) return await work(document, sources)
    const ids = [document, ...more].map(pipelineId).join(', ')
    throw new UsageError(
      values.filename === undefined
        ? `one pipeline at a time, not ${ids}`
        : `the files hold several pipelines: choose one with --name (${ids})`
    )
  })
}

/** Those that we take too; an API server whose definition is older or newer may have let others pass. */
export function accepted(pipelines: readonly BronzePipeline[], { stderr }: Io): readonly BronzePipeline[] {
  return pipelines.flatMap(document => {
    const parsed = parsePipeline(document)
    if (parsed.ok) return [parsed.pipeline]
    for (const { path, message } of parsed.problems) stderr.write(`${pipelineId(document)}: ${path}: ${message}\n`)
    return []
  })
}

/** Secrets are asked for when they are needed, with the user's own permission. */
export const secretsOfCluster = ({ kube }: Cluster): NonNullable<SecretSources['ofCluster']> => {
  const secrets = new SecretReader(kube, systemClock)
  return namespace => secrets.reader(namespace)
}
