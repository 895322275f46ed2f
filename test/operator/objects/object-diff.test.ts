import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { objectDiff, textDiff } from '../../../operator/objects/object-diff.ts'

const object = (kind: string, content: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'shop', namespace: 'lake', ...metadata },
  ...content
})

const deployment = (replicas: number, image: string) =>
  object('Deployment', {
    spec: { replicas, template: { spec: { containers: [{ name: 'consumer', image, args: ['--port', '8080'] }] } } }
  })

test('a changed field is shown with what stands around it', () => {
  assert.deepEqual(objectDiff(deployment(2, 'bronze:1'), deployment(2, 'bronze:2')), [
    '              - "--port"',
    '              - "8080"',
    '-           image: bronze:1',
    '+           image: bronze:2',
    '            name: consumer'
  ])
})

test('an object that is not there is shown whole, and one that goes likewise', () => {
  const made = objectDiff(undefined, deployment(2, 'bronze:1'))
  assert.ok(made.every(line => line.startsWith('+ ')))
  assert.deepEqual(parse(made.map(line => line.slice(2)).join('\n')), deployment(2, 'bronze:1'))
  const gone = objectDiff(deployment(2, 'bronze:1'), undefined)
  assert.deepEqual(
    gone,
    made.map(line => line.replace('+', '-'))
  )
})

test('what only the API server writes, and our own mark of what was applied, are no changes', () => {
  const before = object('ConfigMap', { data: { a: 'b' } })
  const noise = {
    resourceVersion: '7',
    generation: 4,
    uid: 'u',
    creationTimestamp: '2026-06-01T11:00:00Z',
    managedFields: [{}],
    annotations: { 'bronze.dev/applied': 'abc' }
  }
  assert.deepEqual(objectDiff(before, object('ConfigMap', { data: { a: 'b' }, status: { x: 1 } }, noise)), [])
})

test('the values of Secrets are never shown; that one changes is', () => {
  const secret = (data: object) => object('Secret', { data, stringData: data })
  const lines = objectDiff(
    secret({ same: 'c2FtZQ', user: 'b2xk' }),
    secret({ same: 'c2FtZQ', user: 'bmV3', more: 'bW9yZQ' })
  )
  assert.ok(!/c2FtZQ|b2xk|bmV3|bW9yZQ/.test(lines.join('\n')), lines.join('\n'))
  assert.ok(lines.includes('-   user: "(hidden) before"'))
  assert.ok(lines.includes('+   user: "(hidden) after"'))
  assert.ok(lines.includes('+   more: "(hidden) after"'))
  assert.ok(lines.includes('    same: "(hidden)"'), lines.join('\n'))
})

test('texts of several lines are compared line by line', () => {
  const config = (interval: string) =>
    object('ConfigMap', { data: { 'pipeline.yaml': `{\n  "a": 1,\n  "interval": "${interval}",\n  "z": 2\n}\n` } })
  assert.deepEqual(objectDiff(config('10s'), config('20s')), [
    '      {',
    '        "a": 1,',
    '-       "interval": "10s",',
    '+       "interval": "20s",',
    '        "z": 2',
    '      }'
  ])
})

test('far apart changes are shown apart', () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
  const changed = lines.with(2, 'other').with(25, 'another')
  assert.deepEqual(textDiff(lines, changed), [
    '  line 0',
    '  line 1',
    '- line 2',
    '+ other',
    '  line 3',
    '  line 4',
    '...',
    '  line 23',
    '  line 24',
    '- line 25',
    '+ another',
    '  line 26',
    '  line 27'
  ])
})

test('of any two texts, the lines without + are the first and those without - the second', () => {
  const words = ['a', 'b', 'c', 'd']
  let seed = 7
  const next = () => (seed = (seed * 48271) % 2147483647)
  const text = () => Array.from({ length: next() % 12 }, () => words[next() % 4]!)
  for (let turn = 0; turn < 2000; turn++) {
    const [before, after] = [text(), text()]
    const lines = textDiff(before, after, 99)
    if (lines.length === 0) {
      assert.deepEqual(before, after)
      continue
    }
    const without = (sign: string) => lines.filter(line => !line.startsWith(sign)).map(line => line.slice(2))
    assert.deepEqual([without('+'), without('-')], [before, after])
  }
})
