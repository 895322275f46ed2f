import { mkdir, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { installed } from './cache.ts'
import { freePorts, startProcess, stateFolder, untilReady } from './process.ts'
import { startRestartable, type RestartableServer } from './restartable.ts'
import { sharedS3, type S3Addresses } from './s3.ts'
import { shared } from './shared.ts'

/** How to reach an Iceberg REST catalog on 127.0.0.1. It asks for no credentials, has no prefix and vends nothing. */
export interface CatalogAddresses {
  readonly uri: string
  /** Where tables lie that are created without a location: `s3://bucket/prefix`, or a folder. */
  readonly warehouse: string
}

export interface CatalogServer extends CatalogAddresses, RestartableServer {}

export interface CatalogOptions {
  /** An `s3://` URL, of which the bucket is created; the default is a local folder that goes with the server. */
  readonly warehouse?: string
  /** The server of an `s3://` warehouse; the shared one by default. */
  readonly s3?: S3Addresses
  readonly heapMiB?: number
}

let own: Promise<CatalogServer> | undefined

/**
 * The catalog of the whole test run, or one for this process; its warehouse is on the shared S3 server. Others use it too:
 * take unique names for namespaces.
 */
export async function sharedCatalog(): Promise<CatalogAddresses & { readonly s3: S3Addresses }> {
  const s3 = await sharedS3()
  const catalog = (shared('catalog') as CatalogAddresses | undefined) ?? (await (own ??= startSharedCatalog(s3)))
  return { uri: catalog.uri, warehouse: catalog.warehouse, s3 }
}

/** The catalog that a test run shares. */
export const startSharedCatalog = (s3: S3Addresses): Promise<CatalogServer> =>
  startCatalog({ warehouse: `s3://bronze-iceberg/${randomUUID()}`, s3 })

/** Apache Iceberg's reference server of its own, its tables listed in a SQLite file. */
export async function startCatalog(options: CatalogOptions = {}): Promise<CatalogServer> {
  const state = await stateFolder('catalog')
  const warehouse = options.warehouse ?? join(state.path, 'warehouse')
  const properties = join(state.path, 'catalog.properties')
  const storage = warehouse.startsWith('s3://') ? await s3Properties(warehouse, options.s3 ?? (await sharedS3())) : {}
  if (!warehouse.startsWith('s3://')) await mkdir(warehouse, { recursive: true })
  await writeFile(properties, propertiesText({ ...databaseProperties(state.path), ...storage, warehouse }))

  const [port = 0] = await freePorts(1)
  const uri = `http://127.0.0.1:${port}`
  const launch = async () => {
    const heap = options.heapMiB ?? 256
    const args = [`-Xmx${heap}m`, ...JVM_ARGS, '-cp', classPath(), 'CatalogServer', String(port), properties]
    const server = startProcess('java', args, { log: join(state.path, 'log'), state: state.path })
    await untilReady('the Iceberg catalog', server, async () => (await fetch(`${uri}/v1/config`)).ok)
    return server
  }
  return Object.assign(await startRestartable(state, launch), {
    uri,
    warehouse
  })
}

const JVM_ARGS = [
  '-XX:+UseSerialGC',
  '-Djava.net.preferIPv4Stack=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true'
]

const classPath = () => `${installed('catalog', 'classes')}:${installed('catalog', 'jars', '*')}`

/** Writers wait for each other rather than fail; a machine that loses power may lose the file. */
const databaseProperties = (folder: string) => ({
  'catalog-impl': 'org.apache.iceberg.jdbc.JdbcCatalog',
  'jdbc.schema-version': 'V1',
  uri: `jdbc:sqlite:${join(folder, 'catalog.db')}?journal_mode=WAL&busy_timeout=30000&synchronous=OFF`
})

async function s3Properties(warehouse: string, s3: S3Addresses): Promise<Record<string, string>> {
  await s3.createBucket(new URL(warehouse).host)
  return {
    'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    's3.endpoint': s3.endpoint,
    's3.path-style-access': 'true',
    's3.access-key-id': s3.accessKeyId,
    's3.secret-access-key': s3.secretAccessKey,
    'client.region': s3.region
  }
}

const propertiesText = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
