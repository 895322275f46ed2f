import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SERVERS, cacheFolder, isInstalled, serverFolder, type ServerName } from './cache.ts'
import { install } from './installer.ts'
import { missing, type Recipe } from './recipes.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-install-'))
  process.env['XDG_CACHE_HOME'] = folder
})
after(() => rm(folder, { recursive: true, force: true }))

const recipe = (work: (into: string) => Promise<void>): Recipe => ({
  what: 'a test',
  cost: 'nothing',
  needs: [],
  install: work
})
const all = (one: Recipe) => Object.fromEntries(SERVERS.map(name => [name, one])) as Record<ServerName, Recipe>
const hello = (into: string) => writeFile(join(into, 'hello'), 'hello')

test('an installation is there whole, and is not made again', async () => {
  let times = 0
  const once = all(recipe(into => (times++, hello(into))))
  await install(['s3'], once)
  await install(['s3'], once)
  assert.equal(await readFile(join(serverFolder('s3'), 'hello'), 'utf8'), 'hello')
  assert.equal(times, 1)
})

test('one that fails leaves nothing, and what a killed one has left is cleared away', async () => {
  const fails = all(recipe(into => hello(into).then(() => Promise.reject(new Error('no network')))))
  await assert.rejects(install(['kafka'], fails), /no network/)
  assert.equal(isInstalled('kafka'), false)
  await mkdir(`${serverFolder('kafka')}.half-killed`)
  await writeFile(join(cacheFolder(), 'kafka.lock'), '999999999')
  await install(['kafka'], all(recipe(hello)))
  const left = (await readdir(cacheFolder())).filter(entry => entry.startsWith('kafka'))
  assert.deepEqual(left, [serverFolder('kafka').split('/').at(-1)])
})

test('two processes at once install a server once', async () => {
  const script = join(folder, 'install.ts')
  await writeFile(
    script,
    `import { appendFile, writeFile } from 'node:fs/promises'
     import { setTimeout as wait } from 'node:timers/promises'
     import { install } from ${JSON.stringify(new URL('./installer.ts', import.meta.url).href)}
     const recipe = { what: 'x', cost: 'y', needs: [], install: async into => {
       await appendFile(${JSON.stringify(join(folder, 'times'))}, 'x')
       await wait(300)
       await writeFile(into + '/hello', 'hello')
     } }
     await install(['readers'], { readers: recipe })`
  )
  const children = [1, 2].map(() => spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] }))
  const codes = await Promise.all(children.map(async child => ((await once(child, 'exit')) as [number])[0]))
  assert.deepEqual(codes, [0, 0])
  assert.equal(await readFile(join(folder, 'times'), 'utf8'), 'x')
  assert.ok(isInstalled('readers'))
})

test('a program that is missing or too old is named with its Debian package', async () => {
  const needs = [
    { program: 'no-such-program', args: [], debian: 'no-package' },
    {
      program: process.execPath,
      args: ['--version'],
      pattern: /v(\d+)\.(\d+)/,
      min: [999, 1] as const,
      debian: 'nodejs'
    },
    {
      program: process.execPath,
      args: ['--version'],
      pattern: /v(\d+)\.(\d+)/,
      min: [24, 0] as const,
      debian: 'nodejs'
    }
  ]
  const [first, second, ...others] = await missing([{ ...recipe(hello), needs }])
  assert.equal(first, 'no-such-program is needed; on Debian install no-package')
  assert.match(second ?? '', /999\.1 or newer is needed; on Debian install nodejs \(found \d+\.\d+\)$/)
  assert.deepEqual(others, [])
})
