import type { BronzePipeline } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import type { SettledSink } from '../crds/settled.ts'
import { accepted, choiceOf } from './chosen.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, withCluster } from './cluster/cluster.ts'
import { pipelinesNamed } from './cluster/pipelines.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, parseOptions, type Command, type Io } from './command.ts'
import { pipelineId, problemText, readManifests } from './manifests.ts'

export const validate: Command = {
  name: 'validate',
  summary: 'check pipelines in files, as a Kubernetes API server with our definition would',
  help: `Checks every BronzePipeline in the files, or those of the cluster that are named, and prints a line for each good one, and each problem with its place and remedy.

Usage: bronze validate -f FILE [FILE ...] | NAME [NAME ...]

  -f, --filename FILE   a YAML or JSON file of one or more documents, a folder of such files, or - for standard input;
                        may be given several times
${CLUSTER_HELP}

Exit codes: 0 all are valid · 1 problems found · 2 wrong usage
`,
  run: runValidate
}

async function runValidate(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    filename: { type: 'string', short: 'f', multiple: true },
    ...CLUSTER_OPTIONS
  })
  const choice = choiceOf(values, positionals)
  if (choice.from === 'files') return await validateFiles(choice.paths, io)
  if (choice.names.length === 0) throw new UsageError('name the files to check with -f, or pipelines of the cluster')
  return await withCluster(values, async cluster => {
    const documents = await pipelinesNamed(cluster, choice.names)
    const good = accepted(documents, io)
    for (const pipeline of good) io.stdout.write(`${cluster.context}: ${summary(pipeline)}\n`)
    return good.length === documents.length ? EXIT_OK : EXIT_PROBLEMS
  })
}

async function validateFiles(paths: readonly string[], io: Io): Promise<number> {
  const { pipelines, problems } = await readManifests(paths, io)
  for (const { pipeline, file } of pipelines) io.stdout.write(`${file}: ${summary(pipeline)}\n`)
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
  if (problems.length === 0 && pipelines.length > 0) return EXIT_OK
  if (problems.length === 0) io.stderr.write(`${paths.join(', ')}: no BronzePipeline found\n`)
  return EXIT_PROBLEMS
}

/** `valid: lakehouse/taxi, 3 topics into 2 tables, delta at s3://lake/bronze, group bronze.lakehouse.taxi` */
function summary(pipeline: BronzePipeline): string {
  const { topics, sink, source, suspend } = settle(pipeline)
  const tables = new Set(topics.map(({ table }) => table)).size
  const many = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
  return [
    `valid: ${pipelineId(pipeline)}`,
    `${many(topics.length, 'topic')} into ${many(tables, 'table')}`,
    sinkText(sink),
    `group ${source.groupId}`,
    ...(suspend ? ['suspended'] : [])
  ].join(', ')
}

function sinkText(sink: SettledSink): string {
  switch (sink.kind) {
    case 'delta':
      return `delta at ${sink.delta.location}`
    case 'iceberg': {
      const { uri, warehouse } = sink.iceberg.catalog
      return `iceberg at ${uri}${warehouse === undefined ? '' : ` (warehouse ${warehouse})`}`
    }
    case 'snowflake':
      return `snowflake at ${sink.snowflake.account}/${sink.snowflake.database} (mode ${sink.snowflake.mode})`
    case 's3':
      return `s3 at ${sink.s3.location} (${sink.s3.format})`
  }
}
