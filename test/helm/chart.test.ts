import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { definition } from '../../crds/schema.ts'
import { parsePipeline } from '../../crds/validate.ts'
import { generated } from '../../deploy/generate/main.ts'

const chart = new URL('../../helm/bronze-operator/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, chart), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
const schema = JSON.parse(read('values.schema.json')) as Schema & { properties: object }
const values = parse(read('values.yaml')) as Readonly<Record<string, unknown>>
interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

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
  { podLabels: { a: 1 } },
  { resources: { limit: { memory: '1Gi' } } },
  { proxy: { https: 'http://user:password@proxy:3128' } },
  { extraCa: { configMap: 'a', secret: 'b', key: 'ca.crt' } },
  { metrics: { podMonitor: { interval: 'often' } } },
  { networkPolicy: { operator: { kafka: { ports: [0] } } } },
  { hostUsers: 'no' },
  { serviceAccount: { annotations: { a: true } } }
]) {
  test(`values that are refused: ${JSON.stringify(wrong)}`, () => {
    assert.equal(isValid({ ...values, ...wrong }), false)
  })
}

test("Artifact Hub's annotations name our kind, a valid pipeline, and the image of the chart's version", () => {
  const { annotations = {}, appVersion } = parse(read('Chart.yaml')) as {
    annotations?: Readonly<Record<string, string>>
    appVersion: string
  }
  const of = (name: string) => parse(annotations[`artifacthub.io/${name}`] ?? '') as readonly Record<string, unknown>[]
  const { metadata, spec } = definition as unknown as { metadata: { name: string }; spec: { names: { kind: string } } }
  assert.deepEqual([of('crds')[0]?.['name'], of('crds')[0]?.['kind']], [metadata.name, spec.names.kind])
  assert.equal(of('images')[0]?.['image'], `${(values['image'] as { repository: string }).repository}:${appVersion}`)
  const parsed = parsePipeline(of('crdsExamples')[0])
  assert.ok(parsed.ok, JSON.stringify(parsed))
})

for (const [path, text] of generated()) {
  test(`${path} is what \`npm run generate:deploy\` makes`, () => {
    assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text)
  })
}

test("Argo CD's patch holds the script, to the character", () => {
  const of = (path: string) => readFileSync(new URL(`../../deploy/argo-cd/${path}`, import.meta.url), 'utf8')
  const { data } = parse(of('argocd-cm.yaml')) as { data: Readonly<Record<string, string>> }
  const { group, names } = (definition as unknown as { spec: { group: string; names: { kind: string } } }).spec
  assert.deepEqual(data, { [`resource.customizations.health.${group}_${names.kind}`]: of('health.lua') })
})

test('every value is explained', () => {
  assert.deepEqual(unexplained(schema, ''), [])
})

test('the operator may patch the one definition by its name, and no other', () => {
  const { metadata } = definition as unknown as { metadata: { name: string } }
  assert.match(
    read('templates/rbac.yaml'),
    new RegExp(`resources: \\[customresourcedefinitions\\]\\n  resourceNames: \\[${metadata.name}\\]`)
  )
})

function unexplained(schema: Schema, path: string): readonly string[] {
  const below = Object.entries({ ...schema.properties, ...(schema.items === undefined ? {} : schema.items.properties) })
  const own = schema.description === undefined && path !== '' ? [path] : []
  return [...own, ...below.flatMap(([name, field]) => unexplained(field, `${path}.${name}`))]
}
