/**
 * The demo: real data through a broker of its own into Delta tables, a consumer killed on the way, and the tables
 * counted by another engine. Needs nothing but what `npm ci` installs.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { BronzeRun } from './bronze-run.ts'
import { type EmbeddedBroker, startBroker } from './broker/broker.ts'
import { type DataSet, readDataSets } from './data-sets.ts'
import { tablePaths } from './audit.ts'
import { commits } from './delta-files.ts'
import { Drill } from './drill.ts'
import { type Fed, feed } from './feed.ts'
import { manifest } from './manifest.ts'
import { report } from './report.ts'

const HELP = `npm run demo [-- --folder DIR]

Starts a small Kafka broker on this machine, puts real data with a few malformed records into three topics, runs
"bronze run" on them, kills a consumer on the way, and counts the tables with DuckDB. Everything stays in a new folder
under the system's temporary folder, or in DIR, which must not hold anything yet.
`
/** The kill comes as soon as the first table has taken this many commits: the run is then in the middle. */
const KILL_AFTER_COMMITS = 4

const say = (text: string): void => void process.stdout.write(text)
const step = (text: string): void => say(`\n● ${text}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { folder: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    say(HELP)
    return 0
  }
  const startedMs = performance.now()
  const folder = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'bronze-demo-')) : resolve(values.folder)
  const tables = join(folder, 'tables')
  mkdirSync(tables, { recursive: true })

  const broker = await startBroker({ folder: join(folder, 'kafka') })
  try {
    step(`A Kafka broker of the demo's own listens on ${broker.bootstrap}.`)
    const dataSets = await readDataSets()
    const fed: Fed[] = []
    for (const dataSet of dataSets) fed.push(await tellFeed(broker, dataSet))

    const file = join(folder, 'pipeline.yaml')
    writeFileSync(file, manifest(broker.bootstrap, pathToFileURL(tables).href))
    step(`bronze run -f ${file} --consumers 2 --until-caught-up`)
    const exitCode = await run(file, folder, tablePaths(tables, 'bronze.flights').table)
    if (exitCode !== 0) {
      say(`\nbronze run ended with exit code ${exitCode}; its logs are in ${join(folder, 'logs')}\n`)
      return exitCode
    }
    step('The tables, read back by DuckDB')
    const seconds = () => (performance.now() - startedMs) / 1000
    return await report({ folder, tables, broker, dataSets, fed, seconds, say })
  } finally {
    await broker.stop()
  }
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => bronze.stop())
  try {
    return await bronze.ended
  } finally {
    drill.end()
  }
}

process.exitCode = await main()
