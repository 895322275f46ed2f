import { Readable } from 'node:stream'
import type { SecretDocument } from '../crds/documents.ts'
import { documentText } from '../crds/document-text.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import { parsePipeline } from '../crds/validate.ts'
import { systemClock } from '../lib/clock.ts'
import { parseDurationMs } from '../lib/duration.ts'
import { FatalError } from '../lib/errors.ts'
import { PIPELINES, type KubeObject } from '../operator/kube/kube.ts'
import { accepted, choiceOf, FILE_HELP } from './chosen.ts'
import { awaitState, completed } from './cluster/await-state.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, FIELD_MANAGER, withCluster, type Cluster } from './cluster/cluster.ts'
import { pipelineNamed } from './cluster/pipelines.ts'
import {
  EXIT_OK,
  EXIT_PROBLEMS,
  UsageError,
  oneOf,
  parseOptions,
  wholeNumber,
  type Command,
  type Io
} from './command.ts'
import { history } from './history.ts'
import { choosePipeline, pipelineId, problemText, readManifests } from './manifests.ts'
import { entryOf, replayDocument, tablesOf, type ReplayChoice, type ReplayPoint } from './replay-document.ts'
import { mergeStatement } from './replay-merge.ts'
import { run } from './run.ts'
import { untilStopped } from './until-stopped.ts'

export const replay: Command = {
  name: 'replay',
  summary: 'read a range of offsets or times again, into a table of its own',
  help: `Reads a part of a pipeline's topics again, exactly once, into a table of its own, while the pipeline goes on undisturbed. With -f on this
machine, to its end; with a name as a pipeline in the cluster, which runs no consumers any more once it is Completed.

Usage: bronze replay -f FILE --from POINT --to POINT [options]
       bronze replay NAME --from POINT --to POINT [options]

${FILE_HELP}
      --name PIPELINE   only this one of the files: NAME or NAMESPACE/NAME
${CLUSTER_HELP}
      --secrets DIR     with -f, Secrets as a pod mounts them: DIR/<name>/<key>
      --topic ENTRY     which entry of spec.topics, by its name, when there are several
      --partition N     only this partition; may be given several times
      --from POINT      an offset (with --partition), a time (2026-11-21T10:00Z, or 1h ago as 1h), or 'earliest'
      --to POINT        the first offset, or time, that is not read any more; 'latest' is the time of the call
      --table TABLE     the table to write; the entry's own with _replay_ID when not given
      --id ID           small letters and digits that tell this replay from others; the time of the call when not given
      --dry-run         print the manifest of the replay, and do nothing
  -o, --output FORMAT   with -f: 'text', 'json' (one object per line), or 'yaml' (the manifest alone, as --dry-run)
      --wait            with NAME, until it is completed
      --timeout TIME    how long to wait (30s, 5m); 1h when not given

The same command with the same --id goes on where it was stopped.

Exit codes: 0 done · 1 problems found, or the time was over · 2 wrong usage · 78 configuration that only you can fix
`,
  run: runReplay
}

const OPTIONS = {
  filename: { type: 'string', short: 'f', multiple: true },
  name: { type: 'string' },
  secrets: { type: 'string' },
  ...CLUSTER_OPTIONS,
  topic: { type: 'string' },
  partition: { type: 'string', multiple: true },
  from: { type: 'string' },
  to: { type: 'string' },
  table: { type: 'string' },
  id: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  output: { type: 'string', short: 'o' },
  wait: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '1h' }
} as const

type Values = ReturnType<typeof parseOptions<typeof OPTIONS>>['values']

async function runReplay(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS)
  const choice = readChoice(values, systemClock.now())
  const output = oneOf('output', values.output, ['text', 'json', 'yaml'])
  const isDry = values['dry-run'] || output === 'yaml'
  const timeoutMs = parseDurationMs(values.timeout)
  if (timeoutMs === undefined) throw new UsageError(`--timeout takes a time such as 30s or 5m, not '${values.timeout}'`)
  const chosen = choiceOf(values, positionals)
  if (chosen.from === 'files') {
    if (values.wait) throw new UsageError('--wait goes with the name of a pipeline in a cluster: -f runs to its end')
    const { pipelines, secrets, problems } = await readManifests(chosen.paths, io)
    for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
    if (problems.length > 0) return EXIT_PROBLEMS
    const document = replayOf(choosePipeline(pipelines, chosen.name), choice)
    return isDry ? print(document, io) : await runHere(document, secrets, values, io)
  }
  const [name, ...more] = chosen.names
  if (name === undefined || more.length > 0) throw new UsageError('name one pipeline, or its file with -f')
  if (values.secrets !== undefined) throw new UsageError('--secrets goes with -f: pods have the Secrets of the cluster')
  return await withCluster(values, async cluster => {
    const [pipeline] = accepted([await pipelineNamed(cluster, name)], io)
    if (pipeline === undefined) return EXIT_PROBLEMS
    const document = replayOf(pipeline, choice)
    if (isDry) return print(document, io)
    await create(cluster, document, io)
    return values.wait ? await waitUntilCompleted(cluster, document, timeoutMs, io) : EXIT_OK
  })
}

/** Throws UsageError. */
function readChoice(values: Values, nowMs: number): ReplayChoice {
  const id = values.id ?? new Date(nowMs).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  if (!/^[a-z0-9]{1,20}$/.test(id)) throw new UsageError(`--id takes up to 20 small letters and digits, not '${id}'`)
  const partitions = (values.partition ?? []).map(text => wholeNumber('partition', text, 0) ?? 0)
  if (new Set(partitions).size < partitions.length) throw new UsageError('--partition names one partition twice')
  const from = pointOf('from', values.from, nowMs)
  const to = values.to === 'latest' ? ({ kind: 'time', ms: nowMs } as const) : pointOf('to', values.to, nowMs)
  if (to.kind === 'earliest')
    throw new UsageError('--to earliest is before all records: give an offset, a time, or latest')
  if ((from.kind === 'offset' || to.kind === 'offset') && partitions.length === 0)
    throw new UsageError('an offset is that of one partition: name it with --partition')
  const [first, last] = [from, to].map(point => (point.kind === 'offset' ? point.offset : undefined))
  const [since, until] = [from, to].map(point => (point.kind === 'time' ? point.ms : undefined))
  if ((first ?? -Infinity) >= (last ?? Infinity) || (since ?? -Infinity) >= (until ?? Infinity))
    throw new UsageError('--from is not before --to: there is nothing to read')
  return { entry: values.topic, partitions, from, to, table: values.table, id }
}

const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

function pointOf(option: string, text: string | undefined, nowMs: number): ReplayPoint {
  if (text === undefined) throw new UsageError(`--${option} is missing`)
  if (text === 'earliest') return { kind: 'earliest' }
  const offset = Number(text)
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(offset)) return { kind: 'offset', offset }
  const ago = parseDurationMs(text)
  if (ago !== undefined) return { kind: 'time', ms: nowMs - ago }
  const ms = TIME.test(text) ? Date.parse(text) : NaN
  if (!Number.isNaN(ms)) return { kind: 'time', ms }
  throw new UsageError(
    `--${option} takes an offset, a time (2026-11-21T10:00Z, or 1h for an hour ago) or ` +
      `${option === 'from' ? 'earliest' : 'latest'}, not '${text}'`
  )
}

/** Throws UsageError, for what would be the live table too, and FatalError for a pipeline that is not valid. */
function replayOf(pipeline: BronzePipeline, choice: ReplayChoice): BronzePipeline {
  const settled = settle(pipeline)
  const { table: wanted } = choice
  const same = (a: string, b: string) =>
    settled.sink.kind === 'snowflake' ? a.toUpperCase() === b.toUpperCase() : a === b
  const entry = entryOf(pipeline, choice.entry)
  if (wanted !== undefined && tablesOf(pipeline).some(table => same(table, wanted))) {
    const columns = settled.topics.find(({ name }) => name === entry.name) ?? { metadataColumns: [] }
    const own = `${entry.table}_replay_${choice.id}`
    throw new UsageError(
      `--table ${wanted} belongs to ${pipelineId(pipeline)}: a table owns its offsets, so it would refuse the replay, and rows would ` +
        `be there twice. Leave --table out, and bring over afterwards what is missing:\n${mergeStatement(settled, columns, entry.table, own)}`
    )
  }
  const parsed = parsePipeline(replayDocument(pipeline, choice))
  if (parsed.ok) return parsed.pipeline
  const found = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new FatalError('InvalidReplay', `the replay would not be a valid pipeline: ${found}`)
}

function print(document: BronzePipeline, { stdout }: Io): number {
  stdout.write(documentText(document))
  return EXIT_OK
}

/** Runs it to its end, and tells what is in its table then. */
async function runHere(
  document: BronzePipeline,
  secrets: readonly SecretDocument[],
  { secrets: folder, output = 'text' }: Values,
  io: Io
): Promise<number> {
  const stream = [document, ...secrets.map(secretManifest)].map(each => JSON.stringify(each)).join('\n---\n')
  const own = { ...io, stdin: () => Readable.from([stream]) }
  const options = ['-f', '-', '--name', document.metadata.name, '--output', output]
  const withSecrets = folder === undefined ? options : [...options, '--secrets', folder]
  const exitCode = await run.run(withSecrets, own)
  if (exitCode !== EXIT_OK) return exitCode
  return await history.run([...withSecrets, '--since', '1970-01-02'], own)
}

const secretManifest = ({ name, namespace, data }: SecretDocument) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  data: Object.fromEntries([...data].map(([key, value]) => [key, value.toString('base64')]))
})

async function create({ kube, namespace }: Cluster, document: BronzePipeline, { stdout }: Io): Promise<void> {
  const { name } = document.metadata
  if ((await kube.get(PIPELINES, namespace, name)) !== undefined) {
    stdout.write(`${namespace}/${name}: is there already\n`)
    return
  }
  const object = { ...document, metadata: { ...document.metadata, namespace } } as unknown as KubeObject
  await kube.apply(PIPELINES, object, { fieldManager: FIELD_MANAGER })
  stdout.write(`${namespace}/${name}: created, writes ${document.spec.topics[0]?.table}\n`)
}

async function waitUntilCompleted(
  cluster: Cluster,
  { metadata: { name } }: BronzePipeline,
  timeoutMs: number,
  io: Io
): Promise<number> {
  return await untilStopped(io, async ({ signal, exitCode }) => {
    const outcome = await awaitState(cluster, name, {
      suspend: false,
      judge: completed,
      untilMs: systemClock.now() + timeoutMs,
      clock: systemClock,
      tell: text => void io.stdout.write(`${cluster.namespace}/${name}: ${text}\n`),
      signal
    })
    return outcome === 'reached' ? EXIT_OK : (exitCode() ?? EXIT_PROBLEMS)
  })
}
