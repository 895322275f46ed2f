import { globSync, readFileSync } from 'node:fs'

/** Test files that are run and timed together. Paths are relative to the repository, with `/`. */
export interface Suite {
  readonly name: string
  readonly files: readonly string[]
  readonly isIntegration: boolean
  /** Its tests start processes and servers, whose time a loaded machine decides. */
  readonly hasProcesses: boolean
  /** The servers that its tests ask for. */
  readonly servers: readonly string[]
  /** Each file may take no longer. */
  readonly fileTimeoutMs: number
}

const INTEGRATION = 'integration: '
const EMBEDDED = 'embedded broker'
const QUICK_TIMEOUT_MS = 300_000
const LONG_TIMEOUT_MS = 1_200_000
/** A whole cluster is started, and lives through a day. */
const NODE_TIMEOUT_MS = 1_800_000

/** Where a file belongs, by the start of its path; the first that fits counts. */
const FOLDERS: readonly (readonly [name: string, folders: readonly string[]])[] = [
  ['integration', ['test/integration/', 'test/cluster/']],
  ['simulation', ['test/simulation/']],
  [EMBEDDED, ['test/cli/demo/', 'test/consumer/process/']],
  ['unit', ['test/']]
]

const ORDER = ['unit', EMBEDDED, 'simulation']

/**
 * All suites with files whose path has one of `filters` in it; any file when there is none. Integration comes last, by
 * server, and what needs a node last of all.
 */
export function suites(root: string, filters: readonly string[]): Suite[] {
  const files = globSync('test/**/*.test.ts', { cwd: root })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => filters.length === 0 || filters.some(filter => path.includes(filter)))
    .sort()
  const bySuite = Map.groupBy(files, file => suiteOf(file, () => readFileSync(`${root}/${file}`, 'utf8')))
  return [...bySuite]
    .map(([name, members]) => suite(name, members))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

function suite(name: string, files: readonly string[]): Suite {
  const isIntegration = name.startsWith(INTEGRATION)
  const servers = isIntegration ? name.slice(INTEGRATION.length).split(', ') : []
  const hasProcesses = isIntegration || name === EMBEDDED
  const integrationMs = servers.includes('node') ? NODE_TIMEOUT_MS : LONG_TIMEOUT_MS
  const fileTimeoutMs = isIntegration ? integrationMs : QUICK_TIMEOUT_MS
  return { name, files, isIntegration, hasProcesses, servers, fileTimeoutMs }
}

/** Suites whose files may run beside one another, in order. A whole cluster runs alone. */
export function stages(chosen: readonly Suite[]): Suite[][] {
  const stageOf = ({ name, isIntegration, servers }: Suite) =>
    servers.includes('node') ? name : isIntegration ? 'integration' : 'quick'
  return [...Map.groupBy(chosen, stageOf).values()]
}

/** Those with a node come last. */
const rank = ({ name, servers }: Suite) =>
  ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length + Number(servers.includes('node'))

/** The suite of a file; integration tests are told apart by the servers that their text asks for. */
export function suiteOf(file: string, text: () => string): string {
  const [name = 'unit'] = FOLDERS.find(([, folders]) => folders.some(folder => file.startsWith(folder))) ?? []
  return name === 'integration' ? `${INTEGRATION}${servers(text()).join(', ')}` : name
}

/** The names in all `need('…', '…')` of a test file. */
export function servers(text: string): string[] {
  const names = [...text.matchAll(/\bneed\(([^)]*)\)/g)].flatMap(([, list = '']) => [...list.matchAll(/'(\w+)'/g)])
  return [...new Set(names.map(([, name = '']) => name))].sort()
}
