import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { definition } from '../../crds/schema.ts'

const chart = new URL('../../helm/bronze-operator/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, chart), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
const schema = JSON.parse(read('values.schema.json')) as { properties: Readonly<Record<string, unknown>> }
const values = parse(read('values.yaml')) as Readonly<Record<string, unknown>>
const isValid = new Ajv({ allErrors: true, allowUnionTypes: true, strict: true }).compile(schema)

test('chart and program have one version', () => {
  const { version, appVersion } = parse(read('Chart.yaml')) as Record<string, string>
  assert.equal(version, manifest.version)
  assert.equal(appVersion, manifest.version)
})

test('the schema of the values knows every value and accepts the defaults', () => {
  assert.ok(isValid(values), JSON.stringify(isValid.errors))
  const known = Object.keys(schema.properties).filter(name => name !== 'global')
  assert.deepEqual(known.toSorted(), Object.keys(values).toSorted())
})

for (const wrong of [
  { watchNamespace: ['a'] },
  { watchNamespaces: ['A'] },
  { replicas: -1 },
  { image: { repository: '' } },
  { image: { repository: 'a', digest: 'sha256:short' } },
  { logLevel: 'loud' },
  { crds: { upgrade: 'yes' } },
  { podLabels: { a: 1 } }
]) {
  test(`values that are refused: ${JSON.stringify(wrong)}`, () => {
    assert.equal(isValid({ ...values, ...wrong }), false)
  })
}

test('every value is used by a template', () => {
  const templates = readdirSync(new URL('templates/', chart))
    .map(name => read(`templates/${name}`))
    .join('\n')
  const paths = leaves(values, '')
  assert.ok(paths.length > 15)
  assert.deepEqual(
    paths.filter(path => !templates.includes(`.Values${path}`)),
    []
  )
})

test('the operator may patch the one definition by its name, and no other', () => {
  const { metadata } = definition as unknown as { metadata: { name: string } }
  assert.match(
    read('templates/rbac.yaml'),
    new RegExp(`resources: \\[customresourcedefinitions\\]\\n  resourceNames: \\[${metadata.name}\\]`)
  )
})

function leaves(value: unknown, path: string): readonly string[] {
  const isBranch = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0
  if (!isBranch || path === '.resources') return [path]
  return Object.entries(value).flatMap(([name, part]) => leaves(part, `${path}.${name}`))
}
