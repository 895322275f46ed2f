/**
 * The demo: real data through a broker of its own into Delta tables, a consumer killed on the way, and the tables
 * counted by another engine. Needs nothing but what `npm ci` installs.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EXIT_USAGE, UsageError, parseOptions, wholeNumber } from '../command.ts'
import { BronzeRun } from './bronze-run.ts'
import { type EmbeddedBroker, startBroker } from './broker/broker.ts'
import { type DataSet, readDataSets } from './data-sets.ts'
import { tablePaths } from './audit.ts'
import { commits } from './delta-files.ts'
import { Drill } from './drill.ts'
import { type Fed, feed } from './feed.ts'
import { manifest } from './manifest.ts'
import { report } from './report.ts'

const HELP = `npm run demo [-- --folder DIR] [-- --flights N]

Starts a small Kafka broker on this machine, puts real data with a few malformed records into three topics, runs
"bronze run" on them, kills a consumer on the way, and counts the tables with DuckDB. It takes less than a minute.

  --folder DIR   keep everything in DIR, which must not hold anything yet; else in a new folder under the system's
                 temporary folder
  --flights N    how many flights to take, at most 3000000; 250000
`
const MOST_FLIGHTS = 3_000_000
/** The kill comes as soon as the first table has taken this many commits: the run is then in the middle. */
const KILL_AFTER_COMMITS = 4
/** At least so many commits it takes for all flights. */
const FLIGHT_COMMITS = 12

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const say = (text: string): void => void process.stdout.write(text)
const step = (text: string): void => say(`\n● ${text}\n`)

async function main(): Promise<number> {
  const startedMs = performance.now()
  const options = readOptions()
  if (options === undefined) {
    say(HELP)
    return 0
  }
  const { folder, flights } = options
  const tables = join(folder, 'tables')
  mkdirSync(tables, { recursive: true })
  const broker = await startBroker({ folder: join(folder, 'kafka') })
  try {
    step(`A Kafka broker of the demo's own listens on ${broker.bootstrap}.`)
    const dataSets = await readDataSets(flights)
    const fed: Fed[] = []
    for (const dataSet of dataSets) fed.push(await tellFeed(broker, dataSet))

    const file = join(folder, 'pipeline.yaml')
    const commitRecords = Math.ceil(flights / FLIGHT_COMMITS)
    writeFileSync(file, manifest({ bootstrap: broker.bootstrap, location: pathToFileURL(tables).href, commitRecords }))
    step(`bronze run -f ${file} --consumers 2 --until-caught-up`)
    const exitCode = await run(file, folder, tablePaths(tables, 'bronze.flights').table)
    if (exitCode > 128) say(`\nstopped; what there is so far is in ${folder}\n`)
    else if (exitCode !== 0)
      say(`\nbronze run ended with exit code ${exitCode}; what its consumers said is in ${join(folder, 'logs')}\n`)
    if (exitCode !== 0) return exitCode
    step('The tables, read back by DuckDB')
    const seconds = () => (performance.now() - startedMs) / 1000
    return await report({ folder, tables, broker, dataSets, fed, seconds, say })
  } finally {
    await broker.stop()
  }
}

/** Undefined when help is asked for. Throws UsageError. */
function readOptions(): { folder: string; flights: number } | undefined {
  const { values } = parseOptions(process.argv.slice(2), {
    folder: { type: 'string' },
    flights: { type: 'string', default: '250000' },
    help: { type: 'boolean', short: 'h' }
  })
  if (values.help) return undefined
  const flights = wholeNumber('flights', values.flights, 1000) ?? 0
  if (flights > MOST_FLIGHTS) throw new UsageError(`--flights takes at most ${MOST_FLIGHTS}`)
  const folder = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'bronze-demo-')) : resolve(values.folder)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new UsageError(`${folder} is not empty`)
  return { folder, flights }
}

async function tellFeed(broker: EmbeddedBroker, dataSet: DataSet): Promise<Fed> {
  const fed = await feed(broker, dataSet)
  const bad = [...fed.malformed.values()].reduce((sum, count) => sum + count, 0)
  const figures = `${fed.records.toLocaleString('en-US').padStart(7)} records, ${bad} of them malformed`
  say(`  ${dataSet.topic.padEnd(11)} ${figures}   ${dataSet.about}\n`)
  return fed
}

/** Runs the pipeline until it has caught up, and kills one of its consumers in the middle. */
async function run(file: string, folder: string, firstTable: string): Promise<number> {
  const drill = new Drill(() => commits(firstTable).length >= KILL_AFTER_COMMITS, say)
  let toGo: number | undefined
  const bronze = new BronzeRun(file, join(folder, 'logs'), line => {
    drill.hear(line)
    if (line.type !== 'status' || typeof line.lag !== 'number' || line.lag === toGo) return
    toGo = line.lag
    say(toGo === 0 ? '  caught up\n' : `  ${toGo.toLocaleString('en-US')} records to go\n`)
  })
  const stop = (signal: NodeJS.Signals) => bronze.stop(signal)
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    return await bronze.ended
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
    drill.end()
    if (!drill.hasKilled) say('  nobody was killed: it was over too soon\n')
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = EXIT_USAGE
}
