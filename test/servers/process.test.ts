import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { accepts, freePorts, startProcess, untilReady } from './process.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-process-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const sleeper = ['-e', 'setInterval(() => {}, 1000)']

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 1000; !(await check()); left--) {
    if (left === 0) throw new Error('it did not happen')
    await wait(10)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a server is ready, stops when asked, and tells what it said', async () => {
  const [port = 0] = await freePorts(1)
  const script = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('here'))`
  const server = startProcess(process.execPath, ['-e', script], { log: join(folder, 'ready.log') })
  await untilReady('it', server, () => accepts(port))
  assert.ok(server.isRunning())
  await until(async () => (await server.tail()).includes('here'))
  await server.stop()
  assert.ok(!server.isRunning())
  assert.equal(await accepts(port), false)
})

test('a server that ends before it is ready fails with its last words', async () => {
  const server = startProcess(process.execPath, ['-e', 'console.error("no room"); process.exit(1)'], {
    log: join(folder, 'ends.log')
  })
  await assert.rejects(
    untilReady('it', server, async () => false),
    /it ended:[^]*no room/
  )
})

test('a program that is not there fails likewise', async () => {
  const server = startProcess(join(folder, 'nothing'), [], { log: join(folder, 'nothing.log') })
  await assert.rejects(
    untilReady('it', server, async () => false),
    /ENOENT/
  )
})

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a server and its state are gone after ${signal} of the process that started it`, async () => {
    const state = join(folder, `state-${signal}`)
    await mkdir(state)
    const file = join(folder, `parent-${signal}.ts`)
    await writeFile(
      file,
      `import { startProcess } from ${JSON.stringify(new URL('./process.ts', import.meta.url).href)}
       const server = startProcess(process.execPath, ${JSON.stringify(sleeper)}, { log: ${JSON.stringify(join(folder, 'child.log'))}, state: ${JSON.stringify(state)} })
       console.log(server.pid)
       setInterval(() => {}, 1000)`
    )
    const parent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    assert.ok(isAlive(pid))
    parent.kill(signal)
    await until(() => !isAlive(pid) && !existsSync(state))
  })
}

test('a running server does not keep its parent from ending', async () => {
  const file = join(folder, 'ends.ts')
  await writeFile(
    file,
    `import { startProcess } from ${JSON.stringify(new URL('./process.ts', import.meta.url).href)}
     console.log(startProcess(process.execPath, ${JSON.stringify(sleeper)}, { log: ${JSON.stringify(join(folder, 'child.log'))} }).pid)`
  )
  const parent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const [code] = (await once(parent, 'exit')) as [number]
  assert.equal(code, 0)
  await until(() => !isAlive(Number(line.toString())))
})
