import { createInterface } from 'node:readline'
import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { RetryableError } from '../lib/errors.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, parseOptions, type Command, type Io } from './command.ts'
import type { DroppableTable } from './droppable-tables.ts'
import { STDIN, choosePipeline, problemText, readManifests } from './manifests.ts'
import { withReach, type Reach } from './reach.ts'
import { columns } from './table.ts'

export const clean: Command = {
  name: 'clean',
  summary: 'drop the tables of a pipeline, after asking',
  help: `Drops the bronze tables and dead-letter tables of a pipeline, and what its group has reported: a later run reads its topics again
from startFrom. It says what will go, and asks for the pipeline's name first. It refuses while consumers are in the group.

Usage: bronze clean -f FILE [options]

  -f, --filename FILE   a YAML or JSON file of one or more documents, a folder of such files, or - for standard input (with
                        --yes); may be given several times. Documents of kind Secret serve the pipeline's references
      --name PIPELINE   which pipeline, when the files hold several: NAME or NAMESPACE/NAME
      --topic ENTRY     only the tables of this entry of spec.topics; may be given several times
      --secrets DIR     Secrets as a pod mounts them: DIR/<name>/<key>
      --keep-files      Iceberg: take the tables out of the catalog, and leave their files where they are
      --yes             do not ask

Exit codes: 0 all is gone · 1 not confirmed, in use, or trouble: clean again · 2 wrong usage ·
            78 configuration that only you can fix
`,
  run: runClean
}

interface Chosen {
  readonly whole: SettledPipeline
  /** Names of entries; none: all. */
  readonly topics: readonly string[]
  readonly isConfirmed: boolean
  readonly keepFiles: boolean
}

async function runClean(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    filename: { type: 'string', short: 'f', multiple: true },
    name: { type: 'string' },
    topic: { type: 'string', multiple: true, default: [] },
    secrets: { type: 'string' },
    'keep-files': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false }
  })
  const paths = [...(values.filename ?? []), ...positionals]
  if (paths.length === 0) throw new UsageError('name the file of the pipeline with -f')
  if (paths.includes(STDIN) && !values.yes) throw new UsageError('-f - leaves nothing to answer with: add --yes')
  const { pipelines, secrets, problems } = await readManifests(paths, io)
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`)
  if (problems.length > 0) return EXIT_PROBLEMS
  const document = choosePipeline(pipelines, values.name)
  const whole = settle(document)
  const pipeline = chosenPart(whole, values.topic)
  if (values['keep-files'] && whole.sink.kind !== 'iceberg') {
    throw new UsageError(
      '--keep-files goes with Iceberg tables only: others cannot be taken out of a catalog and keep their files'
    )
  }
  const chosen = { whole, topics: values.topic, isConfirmed: values.yes, keepFiles: values['keep-files'] }
  const sources = { secrets, secretsFolder: values.secrets, cwd: io.cwd }
  return await withReach([{ document, pipeline }], sources, async ([reach]) => {
    try {
      return reach === undefined ? EXIT_PROBLEMS : await cleanUp(reach, chosen, io)
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      io.stderr.write(`bronze: ${error.code}: ${error.message}\n`)
      return EXIT_PROBLEMS
    }
  })
}

/** Throws UsageError when a table would be taken from an entry that is left out. */
function chosenPart(whole: SettledPipeline, topics: readonly string[]): SettledPipeline {
  const part = partOf(whole, topics)
  if (!part.ok) throw new UsageError(`--topic: ${part.problem}`)
  const names = new Set(part.pipeline.topics.map(({ name }) => name))
  const tables = new Set(part.pipeline.topics.map(({ table }) => table))
  const other = whole.topics.find(({ name, table }) => !names.has(name) && tables.has(table))
  if (other === undefined) return part.pipeline
  throw new UsageError(`--topic: the table ${other.table} is that of ${other.name} too: choose it as well`)
}

async function cleanUp(reach: Reach, chosen: Chosen, io: Io): Promise<number> {
  const { pipeline, readSecret } = reach
  const group = await reach.group()
  const members = await group.countMembers()
  if (members > 0) throw inUse(pipeline, members)
  // Its code is much, and no other command needs it.
  const { droppableTables } = await import('./droppable-tables.ts')
  const opened = await droppableTables(pipeline, readSecret, chosen)
  try {
    const there = await describe(pipeline, opened.tables, io)
    if (!chosen.isConfirmed && !(await isConfirmed(pipeline.name, io))) {
      io.stderr.write('bronze: nothing was dropped\n')
      return EXIT_PROBLEMS
    }
    // The group first: it refuses when consumers have come meanwhile. Without its report they read from the table's word alone.
    if (chosen.topics.length === 0) await group.delete()
    else await group.set(await logStarts(reach))
    for (const table of there) {
      io.stdout.write(`${table.name}: ${(await table.drop()) === 'dropped' ? 'dropped' : 'was not there'}\n`)
    }
    return EXIT_OK
  } finally {
    await opened.close()
  }
}

const inUse = ({ source: { groupId } }: SettledPipeline, members: number): RetryableError =>
  new RetryableError(
    'GroupInUse',
    `the group ${groupId} has ${members} member${members === 1 ? '' : 's'}: stop the consumers first ` +
      '(on Kubernetes set spec.suspend, or delete the pipeline)'
  )

/** Tells what will go. Gives the tables that are there. */
async function describe(
  { namespace, name, source }: SettledPipeline,
  tables: readonly DroppableTable[],
  { stdout }: Io
): Promise<readonly DroppableTable[]> {
  const found = await Promise.all(tables.map(async table => ({ table, text: await table.describe() })))
  const rows = found.map(({ table, text }) => [`  ${table.name}`, text ?? 'not there'])
  stdout.write(
    `This drops the tables of ${namespace}/${name}, and what its group ${source.groupId} has reported of them:\n`
  )
  for (const line of columns(rows)) stdout.write(`${line}\n`)
  return found.flatMap(({ table, text }) => (text === undefined ? [] : [table]))
}

async function isConfirmed(name: string, { stdin, stdout }: Io): Promise<boolean> {
  stdout.write(`There is no way back. Type ${name} to go on: `)
  const lines = createInterface({ input: stdin() })
  try {
    for await (const line of lines) return line.trim() === name
    return false
  } finally {
    lines.close()
  }
}

/** Where the logs of the entries' topics begin: there is nothing of them in a table. */
async function logStarts({ sampler }: Reach): Promise<readonly { topic: string; partition: number; offset: number }[]> {
  const { offsets, trouble } = await sampler.sample()
  if (trouble !== undefined) throw trouble
  return offsets.flatMap(({ topic, partition, logStart }) =>
    logStart === undefined ? [] : [{ topic, partition, offset: logStart }]
  )
}
