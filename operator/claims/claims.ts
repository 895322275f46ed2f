import { deadLetterTable } from '../../crds/settle.ts'
import type { S3Options } from '../../crds/s3-options.ts'
import type { SettledPipeline, SettledSink } from '../../crds/settled.ts'

/** Something that only one pipeline may have: its consumer group, and each table that it writes. */
export interface Claim {
  readonly what: 'group' | 'table'
  /** The same for all spellings of the same thing. */
  readonly id: string
  /** As the pipeline calls it. */
  readonly name: string
  /** It would have it if its plan were carried out; until then it takes it from nobody. */
  readonly isWish?: boolean
}

/** What a pipeline claims: its group, at each of the brokers that it names, its tables, and their dead-letter tables. */
export function claimsOf(pipeline: SettledPipeline): readonly Claim[] {
  const { source, topics, deadLetters, namespace, sink } = pipeline
  const { groupId, bootstrapServers } = source
  const groups = bootstrapServers.map((server): Claim => {
    return { what: 'group', id: `group ${brokerOf(server, namespace)} ${groupId}`, name: groupId }
  })
  const written = topics.flatMap(({ table }) =>
    deadLetters.policy === 'Table' ? [table, deadLetterTable(pipeline, table)] : [table]
  )
  const tables = [...new Set(written)].map((table): Claim => {
    return { what: 'table', id: tableId(sink, table, namespace), name: table }
  })
  return [...groups, ...tables]
}

function tableId(sink: SettledSink, table: string, namespace: string): string {
  const names = table.split('.')
  switch (sink.kind) {
    case 'delta':
      return folderId(sink.delta.location, sink.delta.s3, names, namespace)
    case 's3':
      return folderId(sink.s3.location, sink.s3.s3, names, namespace)
    case 'iceberg': {
      const { uri, warehouse = '' } = sink.iceberg.catalog
      return `iceberg ${serverOf(uri, namespace)} ${withoutSlashes(warehouse)} ${table}`
    }
    case 'snowflake': {
      const { account, database, schema } = sink.snowflake
      const [own, name] = names.length > 1 ? names : [schema, table]
      // An account's name has hyphens in addresses and underscores elsewhere.
      const folded = [account.replaceAll('_', '-'), database, own, name].join(' ').toUpperCase()
      return `snowflake ${folded}`
    }
  }
}

/** Delta tables and raw objects lie in folders; a folder is the same however it is divided into location and table. */
function folderId(location: string, s3: S3Options | undefined, names: readonly string[], namespace: string): string {
  const [, scheme = '', path = ''] = /^([a-z0-9]+):\/*(.*)$/i.exec(location) ?? []
  const folders = path.split('/').filter(folder => folder !== '')
  const store = scheme.toLowerCase() === 's3' ? storeOf(s3?.endpoint, namespace) : 'file'
  return `folder ${store} ${[...folders, ...names].join('/')}`
}

/** Buckets of Amazon have one name each in all the world, whichever endpoint they are asked at. */
function storeOf(endpoint: string | undefined, namespace: string): string {
  const server = endpoint === undefined ? 'amazonaws.com' : serverOf(endpoint, namespace)
  return /(?:^|\.)amazonaws\.com(?::443)?$/.test(server) ? 'amazon' : server
}

/** Host, port and path of a URL; as it is when it is none. */
function serverOf(url: string, namespace: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${hostOf(hostname, namespace)}:${port || (protocol === 'https:' ? '443' : '80')}${withoutSlashes(pathname)}`
}

function brokerOf(server: string, namespace: string): string {
  const colon = server.lastIndexOf(':')
  return colon === -1 ? hostOf(server, namespace) : hostOf(server.slice(0, colon), namespace) + server.slice(colon)
}

/** The cluster gives each service several names: `kafka` in its own namespace, `kafka.lake`, `kafka.lake.svc` and so on. */
function hostOf(host: string, namespace: string): string {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name === 'localhost' || name.startsWith('[')) return name
  return name.includes('.') ? name.replace(/\.svc(?:\.cluster\.local)?$/, '') : `${name}.${namespace}`
}

const withoutSlashes = (path: string) => path.replace(/\/+$/, '')
