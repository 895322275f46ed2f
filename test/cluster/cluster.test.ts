import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { need } from '../servers/need.ts'
import { PAUSE_IMAGE } from '../servers/node/programs.ts'
import { startCluster } from './cluster.ts'
import type { NodeNetwork } from './network.ts'
import { until } from './steps.ts'
import { packetRules, settings, tracesOf } from './traces.ts'

const program = fileURLToPath(new URL('./sleeper.main.ts', import.meta.url))

test('a cluster runs a pod, and leaves the machine as it was when it is stopped', need('node', 'kube'), async () => {
  const before = { settings: settings(), rules: await packetRules() }
  const cluster = await startCluster()
  const { kube, network, state } = cluster
  try {
    const run = ['run', 'sleeper', `--image=${PAUSE_IMAGE}`, '--image-pull-policy=Never']
    for (const args of [run, ['wait', '--for=condition=Ready', 'pod/sleeper', '--timeout=60s']]) {
      const { code, stderr } = await kube.kubectl(args)
      assert.equal(code, 0, stderr)
    }
    const traces = await tracesOf(network, state)
    // The test would see something if it were left.
    for (const what of ['process', 'cgroup', 'link', 'route'])
      assert.match(traces.join('\n'), new RegExp(`^${what} `, 'm'))
    assert.deepEqual({ settings: settings(), rules: await packetRules() }, before)
  } finally {
    await cluster.stop()
  }
  assert.deepEqual(await tracesOf(network, state), [])
  assert.equal(existsSync(state), false)
  assert.deepEqual({ settings: settings(), rules: await packetRules() }, before)
})

test('a cluster goes with the process that started it, even by SIGKILL', need('node', 'kube'), async () => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { network, state } = JSON.parse(line) as { network: NodeNetwork; state: string }
  child.kill('SIGKILL')
  await until(
    'nothing is left',
    () => tracesOf(network, state),
    traces => traces.length === 0
  )
  await until(
    'no file is left',
    async () => existsSync(state),
    exists => !exists
  )
})
