import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('../../../cli/demo/main.ts', import.meta.url))

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bronze-demo-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const demo = (...args: string[]) => spawn(process.execPath, [DEMO, '--folder', folder, ...args], { stdio: 'pipe' })

test('the demo ends well: a consumer killed and back, every record once, malformed ones by their reason', async () => {
  const child = demo('--flights', '20000')
  const output: string[] = []
  child.stdout.on('data', text => output.push(String(text)))
  child.stderr.on('data', text => output.push(String(text)))
  const [code] = (await once(child, 'close')) as [number]
  const text = output.join('')
  assert.equal(code, 0, text)
  assert.match(text, /kill -9 \d+: demo-0 dies[^]*demo-0 is back as pid/)
  assert.match(text, /bronze\.flights +20,005 +20,000 +5 +0 +0 /)
  assert.match(text, /bronze\.dlq_weather +2 +1 +1 +1\n/)
  assert.match(text, /Each of 24,644 records is in its table or its dead-letter table exactly once/)
})

test('Ctrl-C ends the demo and all that it started', async () => {
  const child = demo('--flights', '20000')
  let pids: readonly number[] = []
  const started = new Promise<void>(resolve => {
    child.stdout.on('data', text => {
      pids = pids.concat(Array.from(String(text).matchAll(/as pid (\d+)/g), ([, pid]) => Number(pid)))
      if (String(text).includes('kill -9')) resolve()
    })
  })
  await started
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number]
  assert.notEqual(code, 0)
  assert.ok(pids.length >= 2)
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('a folder that holds something is left alone', () => {
  writeFileSync(join(folder, 'precious'), '')
  const { status, stderr } = spawnSync(process.execPath, [DEMO, '--folder', folder], { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, /is not empty/)
  assert.ok(!existsSync(join(folder, 'kafka')))
})
