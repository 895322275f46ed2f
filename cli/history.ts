import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { planTables } from '../consumer/columns/bronze.ts'
import { openHistories } from '../consumer/sinks/histories.ts'
import type { HistoryEntry, HistoryNote, Histories, HistoryRange } from '../consumer/sinks/history.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { topicPattern } from '../crds/topic-pattern.ts'
import { systemClock } from '../lib/clock.ts'
import { parseDurationMs } from '../lib/duration.ts'
import type { RetryableError } from '../lib/errors.ts'
import { CHOICE_HELP, CHOICE_OPTIONS, withChosenOne } from './chosen.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, oneOf, parseOptions, type Command, type Io } from './command.ts'
import { HistoryLines, HistoryTable, type HistoryDisplay } from './history-display.ts'
import { mergedRows, minuteRows } from './history-rows.ts'
import { HistoryTotals } from './history-totals.ts'
import { withSecrets, type SecretSources } from './secrets.ts'
import { untilStopped } from './until-stopped.ts'

const MINUTE_MS = 60_000

export const history: Command = {
  name: 'history',
  summary: 'show what went into each table, per topic and minute',
  help: `Shows, for each table, topic and minute, how many records and dead letters were committed, from the table's own records: the log of
a Delta table, the snapshots of an Iceberg table, the commits table in Snowflake, the commit objects on S3. Kafka is not asked.
? is unknown, which is never 0.

Usage: bronze history -f FILE | NAME [options]

${CHOICE_HELP}
      --since TIME      how long ago (90s, 1h, 30d) or when (2026-11-21T10:00Z) it begins; 1h when not given
      --until TIME      the same for its end; now when not given
      --table TABLE     only this table; may be given several times
      --topic TOPIC     only this Kafka topic, or entry of spec.topics; may be given several times
      --watch           go on with what is committed from now on, until Ctrl-C: a minute may then have several rows, which add up
      --json            one JSON object per row and line, as --output json
  -o, --output FORMAT   'text' or 'json'

Exit codes: 0 done · 1 a table could not be read now · 2 wrong usage · 78 configuration that only you can fix
`,
  run: runHistory
}

interface HistoryOptions {
  readonly range: HistoryRange
  readonly tables: readonly string[]
  readonly topics: readonly string[]
  readonly watch: boolean
  readonly output: 'text' | 'json'
}

async function runHistory(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS)
  const options = readOptions(values)
  return await withChosenOne(values, positionals, io, (document, sources) => show(document, sources, options, io))
}

async function show(
  document: BronzePipeline,
  sources: SecretSources,
  options: HistoryOptions,
  io: Io
): Promise<number> {
  const pipeline = settle(document)
  const tables = chosenTables(pipeline, options.tables)
  const isWanted = chosenTopics(pipeline, options.topics)
  return await withSecrets([document], sources, async ([readSecret]) => {
    if (readSecret === undefined) return EXIT_PROBLEMS
    const [totals, display] = [new HistoryTotals(tables, options.range), displayFor(options, tables, io)]
    const onNote = (note: HistoryNote) => {
      display.note(note)
      if (note.isIncomplete) totals.markIncomplete(note.table)
    }
    const ports = { readSecret, clock: systemClock, onNote }
    const histories = await openHistories(pipeline, tables, options.range, ports)
    try {
      return await tell({ ...histories, isWanted, display, totals }, options.watch, io)
    } finally {
      await histories.close()
    }
  })
}

interface Telling extends Pick<Histories, 'tables' | 'lookEveryMs'> {
  readonly isWanted: (topic: string) => boolean
  readonly display: HistoryDisplay
  readonly totals: HistoryTotals
}

async function tell(telling: Telling, watch: boolean, io: Io): Promise<number> {
  const { display, totals } = telling
  return await untilStopped(io, async ({ signal, exitCode }) => {
    let last = await tellNew(telling, io, signal)
    report(last.troubles, new Map(), io)
    while (watch && last.isWhole) {
      await wait(telling.lookEveryMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) break
      const before = last.troubles
      last = await tellNew(telling, io, signal)
      report(last.troubles, before, io)
    }
    for (const { table } of telling.tables) {
      if (!last.isWhole || last.troubles.has(table)) totals.markIncomplete(table)
    }
    display.end(totals.all)
    // To stop is how watching ends.
    const stopped = watch ? undefined : exitCode()
    return stopped ?? (last.troubles.size > 0 ? EXIT_PROBLEMS : EXIT_OK)
  })
}

type Troubles = ReadonlyMap<string, RetryableError>

interface Told {
  /** Of the tables that could not be read to the end. */
  readonly troubles: Troubles
  /** It was not stopped in the middle. */
  readonly isWhole: boolean
}

/** Tells what has come since the last time. */
async function tellNew({ tables, isWanted, display, totals }: Telling, io: Io, signal: AbortSignal): Promise<Told> {
  const troubles = new Map<string, RetryableError>()
  const rows = tables.map(each =>
    minuteRows(each.table, only(each.read(), isWanted), error => troubles.set(each.table, error))
  )
  for await (const row of untilAborted(mergedRows(rows), signal)) {
    display.row(row)
    totals.add(row)
    if (io.stdout.writableNeedDrain) await once(io.stdout, 'drain', { signal }).catch(() => {})
  }
  display.pause()
  return { troubles, isWhole: !signal.aborted }
}

/** Whoever wants to stop does not wait for a server that does not answer. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]()
  const { promise: aborted, resolve } = Promise.withResolvers<{ readonly done: true }>()
  const stop = () => resolve({ done: true })
  signal.addEventListener('abort', stop)
  try {
    while (!signal.aborted) {
      const next = iterator.next()
      const result = await Promise.race([next, aborted])
      // What it would still have come to is nobody's concern.
      if (signal.aborted) next.catch(() => {})
      if (result.done === true) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function* only(
  entries: AsyncIterable<HistoryEntry>,
  isWanted: (topic: string) => boolean
): AsyncIterable<HistoryEntry> {
  for await (const entry of entries) if (isWanted(entry.topic)) yield entry
}

/** Trouble that lasts is told once. */
function report(troubles: Troubles, before: Troubles, { stderr }: Io): void {
  for (const [table, { code, message }] of troubles) {
    if (before.get(table)?.code !== code) stderr.write(`bronze: ${table} cannot be read now: ${code}: ${message}\n`)
  }
}

const OPTIONS = {
  ...CHOICE_OPTIONS,
  since: { type: 'string', default: '1h' },
  until: { type: 'string' },
  table: { type: 'string', multiple: true, default: [] as string[] },
  topic: { type: 'string', multiple: true, default: [] as string[] },
  watch: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  output: { type: 'string', short: 'o' }
} as const

function readOptions(values: ReturnType<typeof parseOptions<typeof OPTIONS>>['values']): HistoryOptions {
  if (values.watch && values.until !== undefined) throw new UsageError('--watch has no end: leave out --until')
  const nowMs = Date.now()
  // Whole minutes: the first is not cut.
  const sinceMs = Math.floor(timeOption('since', values.since, nowMs) / MINUTE_MS) * MINUTE_MS
  const untilMs = values.until === undefined ? Infinity : timeOption('until', values.until, nowMs)
  if (untilMs < sinceMs) throw new UsageError('--until is before --since')
  const output = oneOf('output', values.output, ['text', 'json'])
  return {
    range: { sinceMs, untilMs },
    tables: values.table,
    topics: values.topic,
    watch: values.watch,
    output: values.json ? 'json' : output
  }
}

/** A date without a zone is meant in UTC, as the minutes are shown. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/

function timeOption(option: string, text: string, nowMs: number): number {
  const ago = parseDurationMs(text)
  if (ago !== undefined) return nowMs - ago
  const [, date = '', time = '00:00', zone = 'Z'] = TIME.exec(text) ?? []
  const ms = Date.parse(`${date}T${time}${zone}`)
  if (!Number.isNaN(ms)) return ms
  throw new UsageError(`--${option} takes how long ago (90s, 1h, 30d) or a time (2026-11-21T10:00Z), not '${text}'`)
}

function chosenTables(pipeline: SettledPipeline, wanted: readonly string[]): readonly string[] {
  const all = planTables(pipeline).map(({ table }) => table)
  const unknown = wanted.find(table => !all.includes(table))
  if (unknown !== undefined)
    throw new UsageError(`--table: the pipeline has no table ${unknown}, but ${all.join(', ')}`)
  return wanted.length === 0 ? all : all.filter(table => wanted.includes(table))
}

/** A topic that the pipeline once had is asked for by its name in Kafka. */
function chosenTopics({ topics }: SettledPipeline, wanted: readonly string[]): (topic: string) => boolean {
  if (wanted.length === 0) return () => true
  const isOfEntry = topics
    .filter(({ name }) => wanted.includes(name))
    .map(({ match }) => ('pattern' in match ? topicPattern(match.pattern) : (topic: string) => topic === match.topic))
  return topic => wanted.includes(topic) || isOfEntry.some(matches => matches(topic))
}

function displayFor(
  { output, range }: HistoryOptions,
  tables: readonly string[],
  { stdout, stderr }: Io
): HistoryDisplay {
  const write = (text: string) => stdout.write(text)
  if (output === 'json') return new HistoryLines(write, range)
  return new HistoryTable(write, text => stderr.write(text), tables)
}
