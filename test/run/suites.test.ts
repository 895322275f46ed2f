import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { servers, stages, suiteOf, suites } from './suites.ts'

const cases: readonly (readonly [path: string, text: string, suite: string])[] = [
  ['test/consumer/due.test.ts', '', 'unit'],
  ['test/simulation/simulation.test.ts', '', 'simulation'],
  ['test/cli/demo/broker/fetch.test.ts', '', 'embedded broker'],
  ['test/cli/table.test.ts', `need('kafka')`, 'unit'],
  [
    'test/integration/a.test.ts',
    `test('x', need('s3', 'kafka'), f)\ntest('y', need('kafka'), f)`,
    'integration: kafka, s3'
  ],
  ['test/integration/b.test.ts', `test('x', { ...need('kube'), timeout: 1 }, f)`, 'integration: kube'],
  ['test/integration/c.test.ts', '', 'integration: '],
  ['test/cluster/a.test.ts', `test('x', need('node', 'kube'), f)`, 'integration: kube, node']
]
for (const [path, text, suite] of cases) {
  test(`${path} belongs to ${suite}`, () =>
    assert.equal(
      suiteOf(path, () => text),
      suite
    ))
}

test('servers are named once, in order', () => {
  assert.deepEqual(servers(`need(\n  's3',\n  'kafka'\n) need('s3') needs('kube')`), ['kafka', 's3'])
})

test('what needs a node runs last, and has the time it takes', () => {
  const all = suites(fileURLToPath(new URL('../..', import.meta.url)), [])
  const withNode = all.filter(({ servers }) => servers.includes('node'))
  assert.ok(withNode.length > 0)
  assert.deepEqual(all.slice(-withNode.length), withNode)
  const longest = Math.max(...all.map(({ fileTimeoutMs }) => fileTimeoutMs))
  assert.ok(withNode.every(({ fileTimeoutMs }) => fileTimeoutMs === longest))
})

test('integration runs together after what is quick, and each suite with a node alone at the end', () => {
  const all = suites(fileURLToPath(new URL('../..', import.meta.url)), [])
  const [quick, integration, ...alone] = stages(all)
  assert.deepEqual([quick, integration, ...alone].flat(), all)
  assert.ok(quick?.every(({ isIntegration }) => !isIntegration))
  assert.ok(integration?.every(({ isIntegration, servers }) => isIntegration && !servers.includes('node')))
  assert.ok(alone.length > 0 && alone.every(stage => stage.length === 1 && stage[0]?.servers.includes('node')))
})
