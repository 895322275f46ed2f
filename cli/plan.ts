import type { BronzePipeline } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import { parsePipeline } from '../crds/validate.ts'
import { EXIT_CONFIGURATION, RetryableError } from '../lib/errors.ts'
import type { SourceView } from '../operator/facts.ts'
import { objectDiff } from '../operator/objects/object-diff.ts'
import { CHOICE_HELP, CHOICE_OPTIONS, choiceOf, secretsOfCluster, type Choice } from './chosen.ts'
import { appliedInDryRun, withoutNote } from './cluster/apply-dry-run.ts'
import { withCluster, type Cluster } from './cluster/cluster.ts'
import { foresee } from './cluster/foresee.ts'
import { pipelinesNamed } from './cluster/pipelines.ts'
import { isChange, planJson, planText, type PlannedPipeline } from './cluster/plan-text.ts'
import { EXIT_OK, UsageError, oneOf, parseOptions, type Command, type Io } from './command.ts'
import { namedPipelines, problemText, readManifests } from './manifests.ts'
import { withReach } from './reach.ts'
import type { SecretSources } from './secrets.ts'

const EXIT_CHANGES = 1
const EXIT_UNAVAILABLE = 69

export const plan: Command = {
  name: 'plan',
  summary: 'tell what applying a pipeline to a cluster would change',
  help: `Tells what applying a file would change in a cluster, and changes nothing: the API server judges the pipeline in a dry run, and the
operator's own code works out what would become of its objects and consumers. With a name: what the operator would do to the pipeline
as it is.

Usage: bronze plan -f FILE | NAME [NAME ...] [options]

${CHOICE_HELP}
      --full            all lines of objects that would be created
      --kafka           ask the brokers from here how many partitions there are
  -o, --output FORMAT   'text' or 'json' (one object per pipeline and line)

Exit codes, as those of kubectl diff: 0 nothing would change · 1 something would · more than 1 trouble: 2 wrong usage ·
            69 the cluster or the brokers do not answer · 78 it would be refused, or configuration that only you can fix
`,
  run: runPlan
}

interface PlanOptions {
  readonly kafka: boolean
  readonly output: 'text' | 'json'
  readonly sources: SecretSources
}

async function runPlan(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CHOICE_OPTIONS,
    kafka: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' }
  })
  const output = oneOf('output', values.output, ['text', 'json'])
  const choice = choiceOf(values, positionals, { filesAreForCluster: true })
  if (choice.from === 'cluster' && choice.names.length === 0) {
    throw new UsageError('name the pipeline, or its file with -f')
  }
  const files = choice.from === 'files' ? await documentsOf(choice, io) : undefined
  if (files === undefined && choice.from === 'files') return EXIT_CONFIGURATION
  try {
    return await withCluster(values, async cluster => {
      const { secrets = [], documents } = files ?? {}
      const sources = { secrets, secretsFolder: values.secrets, cwd: io.cwd, ofCluster: secretsOfCluster(cluster) }
      const options = { kafka: values.kafka, output, sources }
      const planned: PlannedPipeline[] = []
      for (const document of documents ?? (await pipelinesNamed(cluster, namesOf(choice)))) {
        const isFile = documents !== undefined
        const namespace = isFile ? namespaceOf(document, values.namespace, cluster) : cluster.namespace
        const one = isFile
          ? await planFile(cluster, document, namespace, options)
          : await planLive(cluster, document, options)
        io.stdout.write(
          output === 'json'
            ? `${JSON.stringify(planJson(one))}\n`
            : `${planned.length > 0 ? '\n' : ''}${planText(one, values.full)}`
        )
        planned.push(one)
      }
      if (planned.some(({ refusal }) => refusal !== undefined)) return EXIT_CONFIGURATION
      return planned.some(isChange) ? EXIT_CHANGES : EXIT_OK
    })
  } catch (error) {
    // 1 says that there are differences.
    if (!(error instanceof RetryableError)) throw error
    io.stderr.write(`bronze: ${error.code}: ${error.message}\n`)
    return EXIT_UNAVAILABLE
  }
}

const namesOf = (choice: Choice) => (choice.from === 'cluster' ? choice.names : [])

/** Undefined when they have problems, which are told. */
async function documentsOf({ paths, name }: Extract<Choice, { from: 'files' }>, io: Io) {
  const { pipelines, secrets, problems } = await readManifests(paths, io)
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
  return problems.length > 0 ? undefined : { documents: namedPipelines(pipelines, name), secrets }
}

function namespaceOf({ metadata }: BronzePipeline, wanted: string | undefined, cluster: Cluster): string {
  const { namespace = cluster.namespace, name } = metadata
  if (wanted === undefined || wanted === namespace) return namespace
  throw new UsageError(`--namespace ${wanted}: the file says that ${name} is in ${namespace}`)
}

async function planFile(
  cluster: Cluster,
  document: BronzePipeline,
  namespace: string,
  options: PlanOptions
): Promise<PlannedPipeline> {
  const id = `${namespace}/${document.metadata.name}`
  const applied = await appliedInDryRun(cluster, document, namespace)
  if (applied.outcome === 'refused') {
    const nothing = { isNew: false, diff: [], judge: undefined, mode: undefined, foreseen: undefined }
    return { id, refusal: applied.message, ...nothing }
  }
  const { before, after, judge } = applied
  const diff = before === undefined ? [] : objectDiff(withoutNote(before), withoutNote(after))
  const foreseen = await foresee(cluster, after, await sourceOf(after, options))
  const { accepted } = foreseen
  const refusal = accepted?.status === 'False' ? accepted.message : undefined
  return { id, isNew: before === undefined, diff, refusal, judge, mode: after.spec.mode, foreseen }
}

async function planLive(cluster: Cluster, pipeline: BronzePipeline, options: PlanOptions): Promise<PlannedPipeline> {
  const foreseen = await foresee(cluster, pipeline, await sourceOf(pipeline, options))
  const id = `${cluster.namespace}/${pipeline.metadata.name}`
  const { accepted } = foreseen
  const refusal = accepted?.status === 'False' ? accepted.message : undefined
  return { id, isNew: false, diff: [], refusal, judge: undefined, mode: pipeline.spec.mode, foreseen }
}

/** Without Kafka, what the operator has written into the status last. */
async function sourceOf(document: BronzePipeline, { kafka, sources }: PlanOptions): Promise<SourceView> {
  const parsed = parsePipeline(document)
  if (!kafka || !parsed.ok) return { lag: undefined, trouble: undefined }
  return await withReach([{ document, pipeline: settle(parsed.pipeline) }], sources, async ([reach]) => {
    const sample = await reach?.sampler.sample()
    if (sample?.trouble !== undefined) throw sample.trouble
    return { lag: sample?.lag, trouble: undefined }
  })
}
