import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import { RetryableError } from '../lib/errors.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, oneOf, parseOptions, type Command, type Io } from './command.ts'
import { CHOICE_HELP, CHOICE_OPTIONS, choiceOf, withChosen } from './chosen.ts'
import { withCluster } from './cluster/cluster.ts'
import { clusterStatus } from './cluster/status.ts'
import { isWell, pipelineStatus, statusJson, statusText, type PipelineStatus } from './pipeline-status.ts'
import { withReach, type Reach } from './reach.ts'
import { watched, type Shown } from './watched.ts'

export const status: Command = {
  name: 'status',
  summary: 'show how pipelines are: in files by what Kafka knows, in a cluster by what its API server does',
  help: `With a file, shows for each topic and table what the consumers have reported to their group: how many records are missing, when the
last commit was, dead letters, trouble. It asks Kafka alone, so it works for pipelines in any cluster and on any laptop.

With names, or nothing, shows pipelines of a Kubernetes cluster: the conditions that are not as they should be, pods, topics, scaling and
warnings. It asks the API server alone. Neither reads a table. ? is unknown, which is never 0.

Usage: bronze status -f FILE [options]
       bronze status [NAME ...] [options]

${CHOICE_HELP}
  -A, --all-namespaces  pipelines of all namespaces of the cluster
      --topic ENTRY     only this entry of spec.topics; may be given several times; with -f
      --watch           again every two seconds, until Ctrl-C
  -o, --output FORMAT   'text' or 'json' (one object per pipeline and line)

Exit codes: 0 every table is caught up or flowing; every pipeline is ready or suspended · 1 trouble, or unknown ·
            2 wrong usage · 78 configuration that only you can fix
`,
  run: runStatus
}

async function runStatus(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CHOICE_OPTIONS,
    'all-namespaces': { type: 'boolean', short: 'A', default: false },
    topic: { type: 'string', multiple: true, default: [] },
    watch: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' }
  })
  const output = oneOf('output', values.output, ['text', 'json'])
  const choice = choiceOf(values, positionals)
  if (choice.from === 'cluster') {
    if (values.topic.length > 0) throw new UsageError('--topic goes with -f; without it all topics are shown')
    const everywhere = values['all-namespaces']
    if (everywhere && choice.names.length > 0) throw new UsageError('--all-namespaces goes without names')
    const { names } = choice
    return await withCluster(values, cluster =>
      clusterStatus(cluster, { names, everywhere, watch: values.watch, output }, io)
    )
  }
  if (values['all-namespaces']) throw new UsageError('--all-namespaces goes with a cluster, not with -f')
  return await withChosen(values, positionals, io, async ({ pipelines, sources }) => {
    const chosen = pipelines.map(document => {
      const part = partOf(settle(document), values.topic)
      if (!part.ok) throw new UsageError(`--topic: ${part.problem}`)
      return { document, pipeline: part.pipeline }
    })
    return await withReach(chosen, sources, async reaches => {
      const look = async () => shown(await lookAtAll(reaches), output)
      return await watched(look, { watch: values.watch, output }, io)
    })
  })
}

function shown(statuses: readonly PipelineStatus[], output: 'text' | 'json'): Shown {
  const lines = () => statuses.map(status => `${JSON.stringify(statusJson(status))}\n`).join('')
  return {
    text: output === 'text' ? statusText(statuses) : lines(),
    exitCode: statuses.every(isWell) ? EXIT_OK : EXIT_PROBLEMS
  }
}

const lookAtAll = (reaches: readonly Reach[]): Promise<PipelineStatus[]> => Promise.all(reaches.map(lookAt))

async function lookAt({ pipeline, sampler, group }: Reach): Promise<PipelineStatus> {
  try {
    const sample = await sampler.sample()
    if (sample.trouble !== undefined) throw sample.trouble
    const consumers = await (await group()).countMembers()
    return pipelineStatus(pipeline, sample.lag.atMs, { sample, consumers, trouble: undefined })
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error
    const trouble = `${error.code}: ${error.message}`
    return pipelineStatus(pipeline, Date.now(), { sample: undefined, consumers: undefined, trouble })
  }
}
