import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EVERYWHERE, HELM_LABELS, NAMESPACED } from '../../../deploy/generate/kustomize.ts'
import { generatedByHelm } from '../../../deploy/generate/main.ts'
import { installed } from '../../servers/cache.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { succeed } from './operator-process.ts'
import { CHART, helm, manifests, type Manifest } from './render.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, 'deploy/kustomize')
const IMAGE = ['--set', 'image.repository=registry.example/bronze-operator']

suite('deploy/kustomize, without Helm', need('kube', 'helm'), () => {
  let kube: KubeServer
  before(async () => {
    kube = await startKube({ controllers: false })
  })
  after(() => kube.stop())

  test('is what `npm run generate:deploy` makes', async () => {
    const made = await generatedByHelm(async args => (await helm('Helm 4', args)).stdout)
    assert.ok(made.size > 0)
    for (const [path, text] of made) assert.equal(readFileSync(join(root, path), 'utf8'), text, path)
  })

  for (const [path, args] of [
    ['.', EVERYWHERE],
    ['namespaced', [...NAMESPACED, ...IMAGE]]
  ] as const) {
    test(`${path}: the same objects as the chart's, permissions, pods and images included`, async () => {
      const { stdout } = await helm('Helm 4', [...args, CHART])
      const { stdout: built } = await promisify(execFile)(
        installed('kube', 'kubectl'),
        ['kustomize', join(folder, path)],
        { maxBuffer: 2 ** 24 }
      )
      const isOfHelm = ({ kind }: Manifest) => !['Namespace', 'CustomResourceDefinition'].includes(kind)
      assert.deepEqual(byName(manifests(built).filter(isOfHelm)), byName(manifests(stdout).map(withoutHelm)))
    })

    test(`${path}: an API server takes it, twice, and with the definition`, async () => {
      if (path === 'namespaced') await succeed(kube.kubectl(['create', 'namespace', 'lakehouse']))
      for (const _time of [1, 2]) {
        await succeed(kube.kubectl(['apply', '--server-side', '-k', join(folder, path)]))
      }
      await succeed(
        kube.kubectl(['wait', '--for=condition=Established', 'crd/bronzepipelines.bronze.dev', '--timeout=20s'])
      )
      const user = '--as=system:serviceaccount:bronze-system:bronze-operator'
      const may = async (namespace: string) =>
        (
          await kube.kubectl(['auth', 'can-i', 'list', 'bronzepipelines.bronze.dev', '-n', namespace, user])
        ).stdout.trim()
      assert.deepEqual([await may('lakehouse'), await may('other')], path === '.' ? ['yes', 'yes'] : ['yes', 'no'])
      await succeed(kube.kubectl(['delete', '-k', join(folder, path), '--wait=false']))
      await kube.kubectl(['wait', '--for=delete', 'crd/bronzepipelines.bronze.dev', '--timeout=20s'])
      // Nobody ends a namespace here.
      await kube.kubectl(['replace', '--raw', '/api/v1/namespaces/bronze-system/finalize', '-f', '-'], FINAL)
    })
  }
})

const FINAL = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bronze-system' }, spec: {} })

function withoutHelm(manifest: Manifest): Manifest {
  const text = JSON.stringify(manifest, (name, value: unknown) =>
    (HELM_LABELS as readonly string[]).includes(name) ? undefined : value
  )
  return JSON.parse(text) as Manifest
}

/** Objects by what names them; lists whose order means nothing by their names. */
function byName(all: readonly Manifest[]): Readonly<Record<string, object>> {
  const entries = all.map(manifest => {
    const { kind, metadata } = manifest
    return [`${kind} ${metadata.namespace ?? ''}/${metadata.name}`, sorted(manifest) as object] as const
  })
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted)
    const isNamed = items.every(item => typeof item === 'object' && item !== null && 'name' in item)
    return isNamed
      ? items.toSorted((a, b) => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1))
      : items
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, sorted(part)]))
}
