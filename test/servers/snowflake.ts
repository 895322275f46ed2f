import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed } from './cache.ts'
import { freePorts, startProcess, stateFolder, untilReady } from './process.ts'
import { startRestartable, type RestartableServer } from './restartable.ts'
import { shared } from './shared.ts'
import { snowflakeClient, type SnowflakeClient } from './snowflake-client.ts'

const SERVER = fileURLToPath(new URL('./snowflake/server.py', import.meta.url))

/** How to reach a stand-in for a Snowflake account; what it does and what not is said in `snowflake/server.py`. */
export interface SnowflakeAddresses {
  /** `http://127.0.0.1:<port>`, the driver's `accessUrl`. */
  readonly url: string
  readonly account: string
  readonly user: string
  readonly password: string
  /** The user's key for key-pair authentication, PEM of PKCS #8. */
  readonly privateKey: string
  /** What OAuth and workload identity take. */
  readonly token: string
  /** There from the beginning, with the schema PUBLIC. */
  readonly database: string
  readonly warehouse: string
  readonly role: string
}

/** Others use a shared one too: take unique names for schemas, or a database of one's own. */
export interface Snowflake extends SnowflakeAddresses {
  /** A new session; `login` to leave out or change what it logs in with. */
  readonly connect: (options?: ConnectOptions) => Promise<SnowflakeClient>
}

export interface ConnectOptions {
  readonly database?: string
  readonly schema?: string
  readonly warehouse?: string
  readonly parameters?: Readonly<Record<string, string | number | boolean>>
  readonly login?: Readonly<Record<string, string>>
}

export interface SnowflakeServer extends Snowflake, RestartableServer {
  /** The DuckDB file in which the table `T` of schema `S` of database `D` is `"D.S"."T"`; to be read after `kill`. */
  readonly file: string
}

export interface SnowflakeOptions {
  /** Beside the one that is always there. */
  readonly databases?: readonly string[]
  readonly warehouses?: readonly string[]
  /** After this much idleness a transaction whose lock another one waits for is rolled back; Snowflake takes five minutes. */
  readonly idleSeconds?: number
  /** After this a statement is answered later, through another request. */
  readonly detachSeconds?: number
}

let own: Promise<SnowflakeServer> | undefined

/** The account of the whole test run, or one for this process. */
export async function sharedSnowflake(): Promise<Snowflake> {
  const addresses = shared('snowflake') as SnowflakeAddresses | undefined
  return addresses === undefined ? await (own ??= startSnowflake()) : withClient(addresses)
}

/** An account of its own, which keeps its data over `kill` and `restart`. */
export async function startSnowflake(options: SnowflakeOptions = {}): Promise<SnowflakeServer> {
  const state = await stateFolder('snowflake')
  const folder = join(state.path, 'account')
  await mkdir(folder)
  const [port = 0] = await freePorts(1)
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const addresses: SnowflakeAddresses = {
    url: `http://127.0.0.1:${port}`,
    account: 'standin',
    user: 'BRONZE',
    password: randomUUID(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    token: randomUUID(),
    database: 'LAKE',
    warehouse: 'INGEST',
    role: 'BRONZE_WRITER'
  }
  const { account, user, password, token, database, warehouse } = addresses
  const lists = {
    database: [database, ...(options.databases ?? [])],
    warehouse: [warehouse, ...(options.warehouses ?? [])]
  }
  const flags: readonly (readonly [string, string])[] = [
    ['port', String(port)],
    ['folder', folder],
    ['account', account],
    ['user', user],
    ['password', password],
    ['public-key', publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    ['token', token],
    ['idle-seconds', String(options.idleSeconds ?? 300)],
    ['detach-seconds', String(options.detachSeconds ?? 45)],
    ...Object.entries(lists).flatMap(([name, values]) => values.map(value => [name, value] as const))
  ]
  const launch = async () => {
    const args = ['-B', SERVER, ...flags.map(([name, value]) => `--${name}=${value}`)]
    const server = startProcess(installed('snowflake', 'bin', 'python'), args, {
      log: join(state.path, 'log'),
      state: state.path
    })
    const isUp = async () => (await fetch(`${addresses.url}/telemetry/send`, { method: 'POST' })).ok
    await untilReady('the Snowflake stand-in', server, isUp)
    return server
  }
  const running = await startRestartable(state, launch)
  return Object.assign(running, withClient(addresses), { file: join(folder, 'account.duckdb') })
}

/** What other processes are told of it. */
export function snowflakeAddresses(server: SnowflakeAddresses): SnowflakeAddresses {
  const { url, account, user, password, privateKey, token, database, warehouse, role } = server
  return { url, account, user, password, privateKey, token, database, warehouse, role }
}

const withClient = (addresses: SnowflakeAddresses): Snowflake => ({
  ...addresses,
  connect: (options = {}) => snowflakeClient(addresses, options)
})
