import { planTables, type TablePlan } from '../consumer/columns/bronze.ts'
import type { TableSchema } from '../consumer/columns/schema.ts'
import { connectSinks } from '../consumer/sinks/connect.ts'
import type { Sinks } from '../consumer/sinks/ports.ts'
import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import { EXIT_CONFIGURATION, FatalError, RetryableError } from '../lib/errors.ts'
import { silentLog } from '../lib/log.ts'
import type { ReadSecret } from '../lib/secrets.ts'
import { CHOICE_HELP, CHOICE_OPTIONS, withChosenOne } from './chosen.ts'
import { columnTexts } from './column-types.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, parseOptions, type Command, type Io } from './command.ts'
import { withSecrets } from './secrets.ts'
import { openTableLooks, type FoundColumn, type TableLooks } from './table-looks.ts'
import { tableScript } from './table-script.ts'

export const init: Command = {
  name: 'init',
  summary: "create a pipeline's tables, or check those that are there",
  help: `Creates the bronze tables of a pipeline and their dead-letter tables, as its consumers would when they start, or checks those
that are there and adds the columns they lack. Kafka is not asked.

Usage: bronze init -f FILE | NAME [options]

${CHOICE_HELP}
      --topic ENTRY     only the tables of this entry of spec.topics; may be given several times
      --dry-run         connect nowhere, and print the tables: for Snowflake the SQL that makes them, to be run by somebody
                        who may, with the grants that the pipeline's role needs; for the others text that reads like SQL

Exit codes: 0 all tables are as they should be · 1 trouble: try again · 2 wrong usage ·
            78 configuration, or a table, that only you can fix
`,
  run: runInit
}

async function runInit(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CHOICE_OPTIONS,
    topic: { type: 'string', multiple: true, default: [] },
    'dry-run': { type: 'boolean', default: false }
  })
  return await withChosenOne(values, positionals, io, async (document, sources) => {
    const part = partOf(settle(document), values.topic)
    if (!part.ok) throw new UsageError(`--topic: ${part.problem}`)
    if (values['dry-run']) {
      io.stdout.write(await tableScript(part.pipeline))
      return EXIT_OK
    }
    return await withSecrets([document], sources, async ([readSecret]) =>
      readSecret === undefined ? EXIT_PROBLEMS : await openAll(part.pipeline, readSecret, io)
    )
  })
}

async function openAll(pipeline: SettledPipeline, readSecret: ReadSecret, io: Io): Promise<number> {
  const id = `${pipeline.namespace}/${pipeline.name}`
  const author = { pipeline: id, createdAt: pipeline.createdAt, consumerId: 'bronze-init' }
  const sinks = await connectSinks(pipeline, { readSecret, clock: systemClock, log: silentLog, author })
  try {
    const looks = await openTableLooks(pipeline, readSecret)
    try {
      let exitCode = EXIT_OK
      for (const plan of planTables(pipeline)) {
        exitCode = Math.max(exitCode, await openOne(plan, { pipeline, sinks, looks }, io))
      }
      return exitCode
    } finally {
      await looks.close()
    }
  } finally {
    await sinks.close()
  }
}

interface Ways {
  readonly pipeline: SettledPipeline
  readonly sinks: Sinks
  readonly looks: TableLooks
}

/** One table with its dead-letter table. Gives the exit code. */
async function openOne(plan: TablePlan, { pipeline, sinks, looks }: Ways, { stdout, stderr }: Io): Promise<number> {
  const { table, schema, deadLetterTable, deadLetterSchema } = plan
  const tables = [{ name: table, schema }]
  if (deadLetterTable !== undefined) tables.push({ name: deadLetterTable, schema: deadLetterSchema })
  try {
    const before = await Promise.all(tables.map(async ({ name }) => await looks.columnsOf(name)))
    const sink = sinks.open(plan)
    try {
      await sink.open()
    } finally {
      await sink.close()
    }
    const after = await Promise.all(tables.map(async ({ name }) => await looks.columnsOf(name)))
    for (const [index, { name, schema }] of tables.entries()) {
      stdout.write(`${name}: ${outcome(before[index], after[index] ?? [], schema, pipeline)}\n`)
    }
    return EXIT_OK
  } catch (error) {
    if (error instanceof FatalError) {
      stderr.write(`bronze: ${table}: ${error.reason}: ${error.message}\n`)
      return EXIT_CONFIGURATION
    }
    if (!(error instanceof RetryableError)) throw error
    stderr.write(`bronze: ${table}: ${error.code}: ${error.message}\n`)
    return EXIT_PROBLEMS
  }
}

function outcome(
  before: readonly FoundColumn[] | undefined,
  after: readonly FoundColumn[],
  schema: TableSchema,
  { sink }: SettledPipeline
): string {
  if (before === undefined) return `created, ${after.length} columns`
  const known = new Set(before.map(({ name }) => name))
  const planned = new Map(columnTexts(schema, sink.kind).map(({ name, type }) => [name, type]))
  const added = after.filter(({ name }) => !known.has(name))
  if (added.length === 0) return 'exists, matches'
  return `columns added: ${added.map(({ name, type = planned.get(name) }) => `${name} ${type ?? ''}`.trim()).join(', ')}`
}
