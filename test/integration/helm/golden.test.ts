import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { parse, stringify } from 'yaml'
import { need } from '../../servers/need.ts'
import { CHART, helm, HELMS, manifests, render, SETS, templateArgs, type Manifest } from './render.ts'

/** With UPDATE_GOLDEN=1 in the environment the files are written instead of compared; read what changed. */
const isUpdate = process.env['UPDATE_GOLDEN'] === '1'

suite('what the chart makes', need('helm', 'packaging'), () => {
  for (const [name, set] of Object.entries(SETS)) {
    for (const version of HELMS) {
      test(`${version}: values "${name}" make golden/${name}.yaml`, async () => {
        const text = manifests(await render(version, set))
          .map(shown)
          .join('---\n')
        const path = fileURLToPath(new URL(`golden/${name}.yaml`, import.meta.url))
        if (isUpdate) writeFileSync(path, text)
        assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '(no such file)')
      })
    }
  }

  test('the set "no-right-outside" makes nothing outside the namespaces that it names', async () => {
    const places = manifests(await render('Helm 4', SETS['no-right-outside'])).map(({ kind, metadata }) => ({
      kind,
      namespace: metadata.namespace
    }))
    assert.deepEqual(
      places.filter(({ namespace = '' }) => !['bronze', 'sales', 'web'].includes(namespace)),
      []
    )
  })

  for (const version of HELMS) {
    test(`${version} finds nothing to say against the chart, with any of the values`, async () => {
      for (const [name, { values }] of Object.entries(SETS)) {
        const { code, stdout, stderr } = await helm(
          version,
          ['lint', '--strict', CHART, '--values', '-'],
          JSON.stringify(values)
        )
        assert.equal(code, 0, `${name}: ${stdout}${stderr}`)
        assert.doesNotMatch(stdout, /WARNING|ERROR/, name)
      }
    })

    for (const [wrong, words] of [
      [{ watchNamespace: ['a'] }, /watchNamespace/],
      [{ image: { tag: 'v 1' } }, /image.*tag/],
      [{ image: { repository: 'Acme/bronze' } }, /image.*repository/],
      [{ consumerImage: 'acme/bronze 1' }, /consumerImage/],
      [{ nameOverride: 'Our_Bronze' }, /nameOverride/],
      [{ serviceAccount: { name: 'Our_Account' } }, /serviceAccount/],
      [{ proxy: { https: 'http://user:password@proxy' } }, /proxy/],
      [{ serviceAccount: { create: false } }, /serviceAccount.name is required/],
      [{ networkPolicy: { enabled: true, consumers: { egress: [{}] } } }, /networkPolicy.consumers.namespaces/]
    ] as const) {
      test(`${version} refuses ${JSON.stringify(wrong)}`, async () => {
        const { code, stderr } = await helm(version, templateArgs({ values: {} }), JSON.stringify(wrong))
        assert.notEqual(code, 0)
        assert.match(stderr, words)
      })
    }
  }

  test('where there is no Prometheus operator its objects are left out', async () => {
    const { values } = SETS.everything
    const kinds = manifests(await render('Helm 4', { values })).map(({ apiVersion }) => apiVersion)
    assert.ok(kinds.every(apiVersion => !apiVersion.startsWith('monitoring')))
  })

  test('every value does something', async () => {
    const defaults = parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as object
    const isValid = new Ajv({ strict: false }).compile(
      JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as object
    )
    const base = merge(defaults, SETS.everything.values)
    const paths = leaves(defaults, [])
    assert.ok(paths.length > 50)
    const idle: string[] = []
    const known = new Map<string, string>()
    for (const path of paths) {
      const start = BASES[path.join('.')] ?? {}
      const from = merge(base, start)
      const changed = CANDIDATES.map(value => merge(from, nested(path, value))).find(
        values => JSON.stringify(values) !== JSON.stringify(from) && isValid(values)
      )
      assert.ok(changed, `no other value is valid at ${path.join('.')}`)
      const key = JSON.stringify(start)
      const before = known.get(key) ?? (await outcome(from))
      known.set(key, before)
      if ((await outcome(changed)) === before) idle.push(path.join('.'))
    }
    assert.deepEqual(idle, [])
  })
})

/** Values that would hide what they belong to. */
const BASES: Readonly<Record<string, object>> = {
  'extraCa.secret': { extraCa: { configMap: '' } },
  'networkPolicy.consumers.namespaces': { networkPolicy: { consumers: { egress: [] } } }
}
const DIGEST = `sha256:${'0'.repeat(64)}`
const TEXTS = ['x', 'debug', '31s', 'Never', DIGEST, 'http://other:1']
const CANDIDATES = [false, true, 3, ...TEXTS, ['x'], [7], [{ name: 'x' }], { name: 'x' }, { limits: { memory: '1Gi' } }]

/** What is rendered, or why it is not. */
async function outcome(values: object): Promise<string> {
  const args = templateArgs({ values, apis: SETS.everything.apis })
  const { code, stdout, stderr } = await helm('Helm 4', args, JSON.stringify(values))
  return code === 0 ? stdout : stderr
}

/** The dashboard is a file of its own, with tests of its own. */
function shown(manifest: Manifest): string {
  const { data } = manifest as { data?: Readonly<Record<string, string>> }
  const short = data?.['bronze.json'] === undefined ? manifest : { ...manifest, data: { 'bronze.json': '…' } }
  return stringify(short, { lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false })
}

const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function leaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (!isBranch(value) || Object.keys(value).length === 0) return [path]
  if (['resources', 'dashboard.labels'].some(each => path.join('.').endsWith(each))) return [path]
  return Object.entries(value).flatMap(([name, part]) => leaves(part, [...path, name]))
}

const nested = (path: readonly string[], value: unknown): object =>
  path.reduceRight<unknown>((below, name) => ({ [name]: below }), value) as object

function merge(a: unknown, b: unknown): object {
  if (!isBranch(a) || !isBranch(b)) return b as object
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...names].map(name => [name, name in b ? merge(a[name], b[name]) : a[name]]))
}
