// npm test: all suites whose servers are at hand. CI=true installs the servers first, runs everything and allows no skip.
import { fileURLToPath } from 'node:url'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { runSuites, type Outcome } from './run/outcome.ts'
import { stages, suites, type Suite } from './run/suites.ts'
import { SERVERS, isInstalled, type ServerName } from './servers/cache.ts'
import { install } from './servers/installer.ts'
import { startSharedCatalog } from './servers/catalog.ts'
import { startKafka } from './servers/kafka.ts'
import { startKube } from './servers/kube.ts'
import { startRegistry } from './servers/registry.ts'
import { startS3 } from './servers/s3.ts'
import { snowflakeAddresses, startSnowflake } from './servers/snowflake.ts'
import { shareWith } from './servers/shared.ts'
import { readFileSync } from 'node:fs'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const isCi = process.env['CI'] === 'true'

async function main(filters: readonly string[]): Promise<void> {
  if (isCi) await install(SERVERS)
  const checked = isCi && filters.length === 0 ? await check() : true
  const chosen = suites(root, filters)
  const outcomes: Outcome[] = []
  let stop = async () => {}
  for (const stage of stages(chosen)) {
    console.log(stage.map(({ name, files }) => `${name}: ${files.length} files`).join('\n'))
    const isFirst = outcomes.every(({ suite }) => !suite.isIntegration)
    if (isFirst && stage.some(({ isIntegration }) => isIntegration)) stop = await startShared(chosen)
    outcomes.push(...(await runSuites(root, stage, { verbose: filters.length > 0, repeats: isCi })))
  }
  await stop()
  if (!summarize(outcomes) || !checked) process.exitCode = 1
}

async function check(): Promise<boolean> {
  const child = spawn(process.execPath, [`${root}/test/check.ts`], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0
}

/** Starts once, for all files, the servers that they share; gives what stops them. */
async function startShared(chosen: readonly Suite[]): Promise<() => Promise<void>> {
  const files = chosen.filter(({ isIntegration }) => isIntegration).flatMap(suite => suite.files)
  const text = files.map(file => readFileSync(`${root}/${file}`, 'utf8')).join('\n')
  const wants = (name: ServerName, call: string) => text.includes(`${call}(`) && isInstalled(name)
  const wantsCatalog = wants('catalog', 'sharedCatalog') && isInstalled('s3')
  // The shared catalog's warehouse lies on the shared S3 server.
  const startStores = async () => {
    const s3 = wantsCatalog || wants('s3', 'sharedS3') ? await startS3() : undefined
    const catalog = wantsCatalog && s3 !== undefined ? await startSharedCatalog(s3) : undefined
    return { s3, catalog }
  }
  const [kafka, { s3, catalog }, kube, registry, snowflake] = await Promise.all([
    wants('kafka', 'sharedKafka') ? startKafka() : undefined,
    startStores(),
    wants('kube', 'sharedKube') ? startKube() : undefined,
    wants('registry', 'sharedRegistry') ? startRegistry() : undefined,
    wants('snowflake', 'sharedSnowflake') ? startSnowflake() : undefined
  ])
  const described = { s3: s3?.endpoint, registry: registry?.url, snowflake: snowflake && snowflakeAddresses(snowflake) }
  Object.assign(process.env, shareWith({ kafka, kube, catalog, ...described }))
  return async () => {
    await Promise.all([kafka, s3, kube, catalog, registry, snowflake].map(async server => await server?.stop()))
  }
}

/** Whether a server named by tests is installed; Helm comes with Kubernetes. */
const isAtHand = (name: string) => isInstalled(SERVERS.find(server => server === name) ?? 'kube')

/** Prints what was skipped and why, the time of each suite and, last, the counts; tells whether all is well. */
function summarize(outcomes: readonly Outcome[]): boolean {
  const failures = outcomes.flatMap(outcome => outcome.failures)
  const skips = outcomes.flatMap(outcome => outcome.skips)
  const sum = (of: readonly Outcome[]) => of.reduce((total, { passed }) => total + passed, 0)
  const passed = sum(outcomes)
  const met = sum(outcomes.filter(({ suite }) => suite.isIntegration && suite.servers.every(isAtHand)))

  console.log('')
  for (const { name, reason } of skips) console.log(`skipped ${name} (${reason})`)
  for (const { name } of failures) console.log(`FAILED  ${name}`)
  for (const file of outcomes.flatMap(({ unsteady }) => unsteady))
    console.log(`UNSTEADY  ${file}: passed alone, see above`)
  for (const { suite, seconds, passed } of outcomes) {
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${suite.name}: ${passed} passed`)
  }
  if (isCi && skips.length > 0) console.log('With CI=true nothing may be skipped.')
  if (outcomes.length === 0) console.log('No test file has that in its path.')
  console.log(`${passed} passed (${met} of them with real servers), ${failures.length} failed, ${skips.length} skipped`)
  return failures.length === 0 && outcomes.length > 0 && !(isCi && skips.length > 0)
}

// Hundreds of processes load the same modules: compiled once, they start in two thirds of the time.
process.env['NODE_COMPILE_CACHE'] ??= `${root}/node_modules/.cache/compiled`

await main(process.argv.slice(2))
