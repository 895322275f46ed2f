import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { python } from '../servers/readers.ts'
import { startSnowflake, type SnowflakeServer } from '../servers/snowflake.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { TOPICS, type Workload } from './workload.ts'

const COUNT_SCRIPT = fileURLToPath(new URL('./count_snowflake.py', import.meta.url))
const SECRET = 'snowflake'
const OUTAGE_MS = 2000

/** Tables of a stand-in for Snowflake of their own, mode Transaction. */
export const startSnowflakeTransactions = (): Promise<ChaosSink> => start('Transaction')

/** The same, mode Merge. */
export const startSnowflakeMerge = (): Promise<ChaosSink> => start('Merge')

async function start(mode: 'Transaction' | 'Merge'): Promise<ChaosSink> {
  const server = await startSnowflake()
  const { account, database, warehouse, role, user, privateKey, url } = server
  return {
    upstreams: { snowflake: { url, protocol: 'snowflake' } },
    spec: endpoints => ({
      snowflake: {
        account,
        url: endpoints['snowflake'],
        database,
        warehouse,
        role,
        credentialsSecretRef: { name: SECRET },
        mode
      }
    }),
    secrets: { [SECRET]: { user, privateKey } },
    outage: async () => {
      await server.kill()
      await wait(OUTAGE_MS)
      await server.restart()
    },
    count: workload => count(server, workload),
    stop: server.stop
  }
}

/** The stand-in is killed first: what it has not made durable is not there. */
async function count(server: SnowflakeServer, workload: Workload): Promise<Counted> {
  await server.kill()
  const tables = TOPICS.map(({ table }) => ({ path: table, deadLetters: table.replace(/([^.]+)$/, 'dlq_$1') }))
  const { file, database } = server
  return await countSnowflakeTables({ tables, file, database, expected: expectationOf(workload) })
}

export interface SnowflakeCount {
  /** `schema.table` */
  readonly tables: readonly { readonly path: string; readonly deadLetters: string }[]
  /** Where the stand-in, which must not run, keeps them. */
  readonly file: string
  readonly database: string
  readonly expected: readonly Expectation[]
}

/** Holds tables and dead-letter tables against what was produced. */
export async function countSnowflakeTables(count: SnowflakeCount): Promise<Counted> {
  return JSON.parse(await python(COUNT_SCRIPT, [], {}, JSON.stringify(count))) as Counted
}
