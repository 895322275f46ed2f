import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPipelines } from '../../crds/documents.ts'

const pipeline = (name: string, topics = '[{name: trips, table: bronze.trips}]') => `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata:
  name: ${name}
spec:
  source: {bootstrapServers: ['kafka:9092']}
  topics: ${topics}
  sink:
    delta: {location: file:///data}
`

const secret = (data: string) => `apiVersion: v1
kind: Secret
metadata: {name: user, namespace: lake}
${data}
`

test('pipelines and Secrets are told apart, documents of other kinds and empty ones left out', () => {
  const text = [
    '# nothing\n',
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: lake}\n',
    secret('data: {username: YnJvbnpl}\nstringData: {password: "hush"}'),
    pipeline('a'),
    pipeline('b')
  ].join('---\n')
  const { pipelines, secrets, problems } = readPipelines(text, 'a.yaml')
  assert.deepEqual(problems, [])
  assert.deepEqual(
    pipelines.map(({ metadata }) => metadata.name),
    ['a', 'b']
  )
  assert.deepEqual(secrets, [
    {
      name: 'user',
      namespace: 'lake',
      data: new Map([
        ['username', Buffer.from('bronze')],
        ['password', Buffer.from('hush')]
      ])
    }
  ])
})

test('a problem names file, line and path; good documents beside a bad one are kept', () => {
  const text = `${pipeline('a')}---\n${pipeline('b', '\n  - name: trips\n    table: bronze..trips')}`
  const { pipelines, problems } = readPipelines(text, 'a.yaml')
  assert.equal(pipelines.length, 1)
  assert.deepEqual(
    problems.map(({ file, line, path }) => ({ file, line, path })),
    [{ file: 'a.yaml', line: 19, path: 'spec.topics[0].table' }]
  )
})

test('a missing field is shown at what should hold it', () => {
  const { problems } = readPipelines(pipeline('a').replace('table: bronze.trips', 'format: Raw'), 'a.yaml')
  assert.deepEqual(
    problems.map(({ line, path }) => ({ line, path })),
    [{ line: 7, path: 'spec.topics[0].table' }]
  )
})

test('text that is no YAML is a problem with a line', () => {
  const { problems } = readPipelines('kind: BronzePipeline\n  spec: [\n', 'a.yaml')
  assert.equal(problems[0]?.path, '')
  assert.match(problems[0].message, /^is not YAML \([A-Z_]+\)/)
})

test('another version of our group is a problem, not a stranger', () => {
  const { problems } = readPipelines(pipeline('a').replace('v1alpha1', 'v9'), 'a.yaml')
  assert.deepEqual(
    problems.map(({ path, message }) => `${path} ${message}`),
    ['apiVersion must be bronze.dev/v1alpha1. Always `bronze.dev/v1alpha1`.']
  )
})

test('no problem shows what a Secret holds', () => {
  for (const data of [
    'data: {password: "p@ssw0rd!"}',
    'stringData: {password: [p@ssw0rd!]}',
    'data: [p@ssw0rd!',
    'data: p@ssw0rd!'
  ]) {
    const { secrets, problems } = readPipelines(secret(data), 'a.yaml')
    assert.equal(secrets.length, 0, data)
    assert.ok(problems.length > 0, data)
    assert.ok(!JSON.stringify(problems).includes('p@ss'), data)
  }
})

test('aliases cannot blow a small file up', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
  }
  const { pipelines, problems } = readPipelines(`kind: BronzePipeline\n${lines.join('\n')}\n`, 'a.yaml')
  assert.equal(pipelines.length, 0)
  assert.ok(problems.length > 0)
})
