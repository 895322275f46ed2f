import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { SecretDocument } from '../crds/documents.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import { systemClock } from '../lib/clock.ts'
import { FatalError } from '../lib/errors.ts'
import { parseQuantity } from '../lib/quantity.ts'
import { secretFolder } from '../lib/secrets.ts'
import { KafkaClusters } from '../operator/kafka/clusters.ts'
import { openLagSampler } from '../operator/kafka/lag-sampler.ts'
import { EXIT_PROBLEMS, UsageError, oneOf, parseOptions, wholeNumber, type Command, type Io } from './command.ts'
import { JsonLines } from './json-lines.ts'
import { LocalConsumers, type LocalFolders } from './local-consumers.ts'
import { choosePipeline, problemText, readManifests } from './manifests.ts'
import { memberName } from './member-name.ts'
import { LiveScreen, PlainLines, type Display } from './screen.ts'
import { layOutSecrets, secretsOf } from './secrets.ts'
import { RunSession } from './session.ts'
import { makeWorkFolder } from './work-folder.ts'

export const run: Command = {
  name: 'run',
  summary: "run a pipeline's consumers on this machine",
  help: `Runs the consumers of a pipeline as processes on this machine, restarts those that end, and shows how far behind the tables are.

Usage: bronze run -f FILE [options]

  -f, --filename FILE    a YAML or JSON file of one or more documents, a folder of such files, or - for standard input;
                         may be given several times. Documents of kind Secret serve the pipeline's references
      --name PIPELINE    which pipeline, when the files hold several: NAME or NAMESPACE/NAME
      --topic ENTRY      only this entry of spec.topics, by its name; may be given several times
      --consumers N      how many consumers; else as many as spec.scaling gives for the partitions that Kafka has
      --until-caught-up  stop, and exit 0, once all that the topics held at the start is in the tables
      --secrets DIR      Secrets as a pod mounts them: DIR/<name>/<key>
      --log-dir DIR      keep the consumers' logs there, one file each; else they are kept only when one has failed
  -o, --output FORMAT    'text' (a live table on a terminal, lines elsewhere) or 'json' (one object per line)

Ctrl-C, SIGTERM and SIGHUP stop cleanly: consumers commit what they hold and leave. A second Ctrl-C kills them; nothing is
lost then either, what was not committed is read again.

Exit codes: 0 caught up or stopped · 1 problems found · 2 wrong usage · 78 configuration that only you can fix ·
            130, 143 stopped before it had caught up
`,
  run: runPipeline
}

interface RunOptions {
  readonly paths: readonly string[]
  readonly name: string | undefined
  readonly topics: readonly string[]
  readonly consumers: number | undefined
  readonly untilCaughtUp: boolean
  readonly secretsFolder: string | undefined
  readonly logFolder: string | undefined
  readonly output: 'text' | 'json'
}

async function runPipeline(args: readonly string[], io: Io): Promise<number> {
  const options = readOptions(args, io)
  const { pipelines, secrets, problems } = await readManifests(options.paths, io)
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
  if (problems.length > 0) return EXIT_PROBLEMS
  const pipeline = choosePipeline(pipelines, options.name)
  const work = await makeWorkFolder(tmpdir(), Date.now())
  try {
    return await runIn(work, pipeline, secrets, options, io)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function readOptions(args: readonly string[], io: Io): RunOptions {
  const { values, positionals } = parseOptions(args, {
    filename: { type: 'string', short: 'f', multiple: true },
    name: { type: 'string' },
    topic: { type: 'string', multiple: true },
    consumers: { type: 'string' },
    'until-caught-up': { type: 'boolean', default: false },
    secrets: { type: 'string' },
    'log-dir': { type: 'string' },
    output: { type: 'string', short: 'o' }
  })
  const paths = [...(values.filename ?? []), ...positionals]
  if (paths.length === 0) throw new UsageError('name the file of the pipeline with -f')
  const folder = (path: string | undefined) => (path === undefined ? undefined : resolve(io.cwd, path))
  return {
    paths,
    name: values.name,
    topics: values.topic ?? [],
    consumers: consumersAsked(values.consumers),
    untilCaughtUp: values['until-caught-up'],
    secretsFolder: folder(values.secrets),
    logFolder: folder(values['log-dir']),
    output: oneOf('output', values.output, ['text', 'json'])
  }
}

async function runIn(
  work: string,
  pipeline: BronzePipeline,
  secrets: readonly SecretDocument[],
  options: RunOptions,
  io: Io
): Promise<number> {
  const part = partOf(settle(pipeline), options.topics)
  if (!part.ok) throw new UsageError(`--topic: ${part.problem}`)
  const settled = part.pipeline
  if (settled.suspend) throw new FatalError('Suspended', 'spec.suspend is true: set it to false to run the pipeline')
  const laidOut = await layOut(work, pipeline, secrets, options)
  const folders = { ...laidOut, logs: await logFolder(options, settled.name) }
  const sampler = openLagSampler(settled, secretFolder(folders.secrets), new KafkaClusters(systemClock), Date.now)
  const { limits } = settled.consumer.resources
  const memoryBytes = limits?.['memory'] === undefined ? undefined : parseQuantity(limits['memory'])
  const session = new RunSession(
    settled,
    {
      consumers: options.consumers,
      untilCaughtUp: options.untilCaughtUp,
      everyMs: 1000,
      memberName: memberName(settled, options.topics)
    },
    {
      clock: systemClock,
      sampler,
      consumers: new LocalConsumers(folders, memoryBytes, options.topics),
      display: displayFor(options, io)
    }
  )
  const stopListening = io.onSignal(signal => session.interrupt(signal))
  try {
    return (await session.run()).exitCode
  } finally {
    stopListening()
    sampler.close()
    if (options.logFolder === undefined && session.failures === 0)
      await rm(folders.logs, { recursive: true, force: true })
  }
}

async function layOut(
  work: string,
  pipeline: BronzePipeline,
  secrets: readonly SecretDocument[],
  { secretsFolder }: RunOptions
): Promise<Omit<LocalFolders, 'logs'>> {
  const folders = {
    pipelineFile: join(work, 'pipeline.yaml'),
    secrets: join(work, 'secrets'),
    terminations: join(work, 'ends')
  }
  await mkdir(folders.terminations)
  // JSON is YAML.
  await writeFile(folders.pipelineFile, `${JSON.stringify(pipeline, undefined, 2)}\n`, { mode: 0o600 })
  await layOutSecrets(folders.secrets, secretsOf(pipeline, secrets), secretsFolder)
  return folders
}

async function logFolder({ logFolder }: RunOptions, name: string): Promise<string> {
  if (logFolder === undefined) return await mkdtemp(join(tmpdir(), `bronze-logs-${name}-`))
  await mkdir(logFolder, { recursive: true })
  return logFolder
}

function displayFor({ output }: RunOptions, { stdout }: Io): Display {
  const write = (line: string) => stdout.write(line)
  if (output === 'json') return new JsonLines(write)
  return stdout.isTTY ? new LiveScreen(stdout) : new PlainLines(write)
}

/** Each is a process of this machine. */
const MAX_CONSUMERS = 256

function consumersAsked(text: string | undefined): number | undefined {
  const count = wholeNumber('consumers', text, 1)
  if (count !== undefined && count > MAX_CONSUMERS) {
    throw new UsageError(`--consumers takes at most ${MAX_CONSUMERS}, for each is a process here, not '${text}'`)
  }
  return count
}
