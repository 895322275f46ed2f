// npm run servers: installs the servers that integration tests meet into the user's cache folder.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { errorText } from '../../lib/errors.ts'
import { SERVERS, cacheFolder, isInstalled, serverFolder, type ServerName } from './cache.ts'
import { install } from './installer.ts'
import { recipes } from './recipes.ts'

const USAGE = `npm run servers [-- NAME ... | --list | --remove]
  NAME      one of ${SERVERS.join(', ')}; all when none is given
  --list    what is installed and where
  --remove  remove what is installed`

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

await main().catch((error: unknown) => {
  console.error(errorText(error))
  process.exitCode = 1
})
