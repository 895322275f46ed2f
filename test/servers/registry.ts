import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { REGISTRY_VERSION, installed } from './cache.ts'
import { freePorts, startProcess, stateFolder, untilReady } from './process.ts'
import { startRestartable, type RestartableServer } from './restartable.ts'
import { shared } from './shared.ts'

/** A schema registry on 127.0.0.1 with Confluent's API (version 7). */
export interface Registry {
  /** What a client is told: paths like `/subjects` and `/schemas/ids/1` follow. */
  readonly url: string
  /** Registers a schema under a subject and gives its id; an equal one that is there keeps its id. */
  readonly register: (subject: string, schema: object | string, more?: RegisterOptions) => Promise<number>
  /** Which changes a subject takes; without a subject, which all take that have no level of their own. */
  readonly setCompatibility: (level: Compatibility, subject?: string) => Promise<void>
}

export interface RegistryServer extends Registry, RestartableServer {}

export interface RegisterOptions {
  readonly schemaType?: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly references?: readonly Reference[]
}

/** A schema that another one uses by `name`. */
export interface Reference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

export type Compatibility = 'NONE' | 'BACKWARD' | 'FORWARD' | 'FULL' | `${'BACKWARD' | 'FORWARD' | 'FULL'}_TRANSITIVE`

let own: Promise<RegistryServer> | undefined

/** The registry of the whole test run, or one for this process. Others use it too: take unique names for subjects. */
export async function sharedRegistry(): Promise<Registry> {
  const url = shared('registry') as string | undefined
  return url === undefined ? await (own ??= startRegistry()) : clientOf(url)
}

/** Apicurio Registry of its own. */
export async function startRegistry(): Promise<RegistryServer> {
  const state = await stateFolder('registry')
  await mkdir(join(state.path, 'data'))
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.management.enabled': false,
    'quarkus.log.level': 'WARN',
    // Without a delay: what was answered outlives a SIGKILL.
    'apicurio.datasource.url': `jdbc:h2:file:${join(state.path, 'data', 'registry')};WRITE_DELAY=0`
  }
  const flags = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  const jar = installed('registry', `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`)
  const launch = async () => {
    const args = ['-Xmx384m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true', ...flags, '-jar', jar]
    const server = startProcess('java', args, { log: join(state.path, 'log'), state: state.path })
    await untilReady('the schema registry', server, async () => (await fetch(`${url}/subjects`)).ok)
    return server
  }
  return Object.assign(await startRestartable(state, launch), clientOf(url))
}

const clientOf = (url: string): Registry => ({
  url,
  register: async (subject, schema, { schemaType = 'AVRO', references = [] } = {}) => {
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
    const path = `/subjects/${encodeURIComponent(subject)}/versions`
    const answer = (await send(url, 'POST', path, { schema: text, schemaType, references })) as { id: number }
    return answer.id
  },
  setCompatibility: async (compatibility, subject) => {
    const path = subject === undefined ? '/config' : `/config/${encodeURIComponent(subject)}`
    await send(url, 'PUT', path, { compatibility })
  }
})

async function send(url: string, method: string, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`the registry answered ${response.status} to ${method} ${path}: ${text}`)
  return JSON.parse(text)
}
