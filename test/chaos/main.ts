// npm run chaos: kills consumers and breaks their connections while topics are fed, then has other projects count the tables.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { errorText } from '../../lib/errors.ts'
import type { ServerName } from '../servers/cache.ts'
import { install } from '../servers/installer.ts'
import { runChaos } from './run.ts'

const USAGE = `npm run chaos -- [--sink delta|iceberg|iceberg-transactions|s3|s3-glob|snowflake|snowflake-merge] [--records 1000000] [--kills 20] [--pauses 2] [--interval 5] [--seed N]
  --kills     how often a consumer is killed while the topics are fed
  --pauses    how often one stands still for longer than its session in the group lasts
  --interval  seconds between kills, on average
With an Iceberg sink the catalog itself is killed half-way, and started again; so is the stand-in for Snowflake.
Exit code 0 and, last, one line of JSON: every record is in its table or its dead letters exactly once.`

const { values } = parseArgs({
  options: {
    sink: { type: 'string', default: 'delta' },
    records: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '20' },
    pauses: { type: 'string', default: '2' },
    interval: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    help: { type: 'boolean', default: false }
  }
})

function whole(name: 'records' | 'kills' | 'pauses' | 'interval' | 'seed'): number {
  if (!/^\d{1,9}$|^[12]\d{9}$/.test(values[name])) throw new Error(`--${name} must be a whole number`)
  return Number(values[name])
}

function serversOf(sink: string): readonly ServerName[] {
  if (sink.startsWith('snowflake')) return ['snowflake']
  return sink.startsWith('iceberg') ? ['s3', 'catalog'] : ['s3']
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE)
  const options = {
    sink: values.sink,
    records: whole('records'),
    kills: whole('kills'),
    pauses: whole('pauses'),
    secondsBetweenKills: whole('interval'),
    seed: whole('seed')
  }
  await install(['kafka', 'readers', ...serversOf(options.sink)])
  console.log(`${options.records} records into ${options.sink}, ${options.kills} kills, seed ${options.seed}`)
  const { result, failure, logs, details } = await runChaos(options)
  console.log(details)
  if (failure !== undefined) {
    console.error(`FAILED with --seed ${options.seed}; logs are in ${logs}\n${failure}`)
    process.exitCode = 1
  }
  console.log(JSON.stringify(result))
}

await main().catch((error: unknown) => {
  console.error(errorText(error))
  process.exitCode = 1
})
