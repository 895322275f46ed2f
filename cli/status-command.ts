import { setTimeout as wait } from 'node:timers/promises'
import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import { RetryableError } from '../lib/errors.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, oneOf, parseOptions, type Command, type Io } from './command.ts'
import { isWell, pipelineStatus, statusJson, statusText, type PipelineStatus } from './pipeline-status.ts'
import { namedPipelines, problemText, readManifests } from './manifests.ts'
import { withReach, type Reach } from './reach.ts'

const WATCH_EVERY_MS = 2000

export const status: Command = {
  name: 'status',
  summary: 'show how far the tables of pipelines are, wherever these run',
  help: `Shows, for each topic and table of the pipelines in the files, what their consumers have reported to their group: how many records
are missing, when the last commit was, dead letters, trouble. It asks Kafka alone, so it works for pipelines in any cluster and on
any laptop, and reads no table. ? is unknown, which is never 0.

Usage: bronze status -f FILE [options]

  -f, --filename FILE   a YAML or JSON file of one or more documents, a folder of such files, or - for standard input;
                        may be given several times. Documents of kind Secret serve the pipelines' references
      --name PIPELINE   only this one: NAME or NAMESPACE/NAME
      --topic ENTRY     only this entry of spec.topics; may be given several times
      --secrets DIR     Secrets as a pod mounts them: DIR/<name>/<key>
      --watch           again every two seconds, until Ctrl-C
  -o, --output FORMAT   'text' or 'json' (one object per pipeline and line)

Exit codes: 0 every table is caught up or flowing · 1 trouble, or unknown · 2 wrong usage ·
            78 configuration that only you can fix
`,
  run: runStatus
}

async function runStatus(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    filename: { type: 'string', short: 'f', multiple: true },
    name: { type: 'string' },
    topic: { type: 'string', multiple: true, default: [] },
    secrets: { type: 'string' },
    watch: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' }
  })
  const paths = [...(values.filename ?? []), ...positionals]
  if (paths.length === 0) throw new UsageError('name the file of the pipeline with -f')
  const output = oneOf('output', values.output, ['text', 'json'])
  const { pipelines, secrets, problems } = await readManifests(paths, io)
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
  if (problems.length > 0) return EXIT_PROBLEMS
  const chosen = namedPipelines(pipelines, values.name).map(document => {
    const part = partOf(settle(document), values.topic)
    if (!part.ok) throw new UsageError(`--topic: ${part.problem}`)
    return { document, pipeline: part.pipeline }
  })
  return await withReach(chosen, { secrets, secretsFolder: values.secrets, cwd: io.cwd }, async reaches => {
    return values.watch ? await watch(reaches, output, io) : show(await lookAtAll(reaches), output, io)
  })
}

async function watch(reaches: readonly Reach[], output: 'text' | 'json', io: Io): Promise<number> {
  const stopping = new AbortController()
  const stopListening = io.onSignal(() => stopping.abort())
  let exitCode = EXIT_OK
  try {
    while (!stopping.signal.aborted) {
      const statuses = await lookAtAll(reaches)
      if (output === 'text' && io.stdout.isTTY) io.stdout.write('\u001b[H\u001b[2J')
      exitCode = show(statuses, output, io)
      if (output === 'text' && !io.stdout.isTTY) io.stdout.write('\n')
      await wait(WATCH_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
    return exitCode
  } finally {
    stopListening()
  }
}

function show(statuses: readonly PipelineStatus[], output: 'text' | 'json', { stdout }: Io): number {
  if (output === 'text') stdout.write(statusText(statuses))
  else for (const status of statuses) stdout.write(`${JSON.stringify(statusJson(status))}\n`)
  return statuses.every(isWell) ? EXIT_OK : EXIT_PROBLEMS
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
