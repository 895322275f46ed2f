import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lake } from './world.ts'

const program = (name: string) => fileURLToPath(new URL(`../../../cli/${name}`, import.meta.url))
const start = (name: string, args: readonly string[]) =>
  spawnSync(process.execPath, [program(name), ...args], { encoding: 'utf8' })

test('called by kubectl, help and hints say what the user types', () => {
  const help = start('kubectl-bronze.js', ['--help'])
  assert.match(help.stdout, /^Usage: kubectl bronze <command> \[options\]$/m)
  assert.match(start('kubectl-bronze.js', ['help', 'logs']).stdout, /^Usage: kubectl bronze logs NAME/m)
  const wrong = start('kubectl-bronze.js', ['logs'])
  assert.deepEqual([wrong.status, wrong.stderr], [2, 'bronze: name one pipeline\nSee kubectl bronze logs --help.\n'])
  assert.match(start('bronze.js', ['help', 'logs']).stdout, /^Usage: bronze logs NAME/m)
})

test('kubectl completes commands, options, values and the names of pipelines', async context => {
  const { kube, run } = await lake(context)
  const complete = async (command: string, ...words: string[]) => {
    const cluster = words.length === 0 ? [] : ['--kubeconfig', kube.kubeconfig]
    const { code, out } = await run('__complete', command, ...cluster, ...words)
    assert.equal(code, 0)
    return out
  }
  assert.match(await complete('su'), /^suspend\t.*\n:4\n$/)
  assert.equal(await complete('logs', '--l'), '--level\n:4\n')
  assert.equal(await complete('logs', 'x', '--level', 'w'), 'warn\n:4\n')
  assert.equal(await complete('plan', '-f', ''), ':0\n')
  assert.equal(await complete('logs', '-f', 's'), 'shop\n:4\n')
  kube.forbidden.add('list bronzepipelines')
  assert.equal(await complete('status', ''), ':4\n')
})

test('what npm puts on the PATH is there to be started', () => {
  const { bin } = JSON.parse(readFileSync(program('../package.json'), 'utf8')) as { bin: Record<string, string> }
  for (const path of Object.values(bin))
    assert.match(readFileSync(program(`../${path}`), 'utf8'), /^#!\/usr\/bin\/env node\n/)
})
