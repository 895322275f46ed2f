import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, suite, test } from 'node:test'
import { definition } from '../../../crds/schema.ts'
import { render } from '../../../operator/objects/pod-template.ts'
import type { Render } from '../../../operator/revision/revision.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually } from './running.ts'
import { Story } from './story.ts'
import { sayHowPodsAre, versionsHome, type VersionsHome } from './versions.ts'

/** A version of the operator that makes other pods of the same pipeline. */
const newer: Render = (blueprint, configName) => {
  const { config, template } = render(blueprint, configName)
  const labels = { ...template.metadata.labels, 'new.version': 'yes' }
  return { config: `${config}\n`, template: { ...template, metadata: { ...template.metadata, labels } } }
}

// A cluster of its own: the tests change the definition.
suite('an upgrade of the operator, on an API server with controllers', need('kube', 'helm'), () => {
  let kube: KubeServer
  let current: VersionsHome | undefined
  let count = 0

  before(async () => {
    kube = await startKube()
  })

  after(async () => {
    await kube?.stop()
  })

  afterEach(async context => {
    if (!(context as unknown as { readonly passed: boolean }).passed) console.log(current?.lines.join(''))
    await current?.stop()
  })

  const begin = async () => {
    const home = await versionsHome(kube, `upgrade-${++count}`)
    current = home
    return { home, story: new Story(home) }
  }

  test('an operator of another version, with another definition, leaves pods as they are; with Automatic they follow once', async () => {
    const { home, story } = await begin()
    const { kubectl } = home
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(olderDefinition()))
    await story.apply({})
    assert.equal(await story.read('bp/shop', '{.spec.source.onDataLoss}'), '')
    await home.upgrade('bronze:1')
    await story.untilHealthy()
    assert.equal(await story.replicaSets(), 1)
    const before = await story.deployed('{.spec.template}')
    const { metadata } = await story.pipeline()

    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(definition))
    const filled = () => story.read('bp/shop', '{.spec.source.onDataLoss}')
    await eventually('the default is filled in', filled, text => text === 'Fail')
    assert.equal((await story.pipeline()).metadata.generation, metadata.generation)
    await home.upgrade('bronze:2', { render: newer })
    await story.aFewLooks()
    await story.patch({ scaling: { mode: 'External', replicas: 3 } })
    await eventually(
      'three consumers',
      () => story.deployed('{.spec.replicas}'),
      text => text === '3'
    )
    await story.aFewLooks()
    assert.equal(await story.replicaSets(), 1)
    assert.equal(await story.deployed('{.spec.template}'), before)
    assert.equal(await story.condition('Reconciling'), 'False UpToDate')

    await story.patch({ consumer: { upgrade: 'Automatic' } })
    await story.untilImage('bronze:2')
    await story.untilHealthy()
    await story.aFewLooks()
    assert.equal(await story.replicaSets(), 2)
  })

  test('what 0.1.0 left running runs on', async () => {
    const { home, story } = await begin()
    const { kubectl } = home
    const golden = new URL('../../operator/objects/golden/security-scram.json', import.meta.url)
    const { pipeline: made, objects } = JSON.parse(readFileSync(golden, 'utf8')) as {
      pipeline: { metadata: { name: string }; spec: object; apiVersion: string; kind: string }
      objects: readonly { kind: string; metadata: Record<string, unknown> }[]
    }
    const { name } = made.metadata
    await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify({ ...made, metadata: { name } }))
    const uid = await story.read(`bp/${name}`, '{.metadata.uid}')
    for (const object of objects) {
      const owner = (object.metadata['ownerReferences'] as readonly object[])[0]
      const metadata = { ...object.metadata, namespace: home.namespace, ownerReferences: [{ ...owner, uid }] }
      const manager = ['--server-side', '--field-manager=bronze-operator', '-f', '-']
      await kubectl(['apply', ...manager], JSON.stringify({ ...object, metadata }))
      if (object.kind !== 'Deployment') continue
      for (const secret of ['kafka-user', 'kafka-ca', 'tls']) await kubectl(['create', 'secret', 'generic', secret])
    }
    const time = '2026-06-01T11:00:00Z'
    const condition = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: time }
    const status = { observedGeneration: 1, image: 'bronze:0.1.0', conditions: [condition] }
    const write = ['patch', 'bp', name, '--subresource=status', '--type=merge', '-p']
    await kubectl([...write, JSON.stringify({ status })])
    const template = () => story.read(`deploy/${name}-consumer`, '{.spec.template.spec}')
    const before = await template()
    await home.upgrade('bronze:2', { render: newer })
    const healthy = () => story.read(`bp/${name}`, '{.status.revision.healthy}')
    await eventually(
      'a healthy revision',
      async () => (await sayHowPodsAre(home), healthy()),
      text => text === 'true'
    )
    assert.equal(await template(), before)
    await story.aFewLooks()
    assert.equal(await template(), before)
  })
})

/** The definition as a version before this one might have had it: with one default less. */
function olderDefinition(): object {
  const older = structuredClone(definition) as unknown as {
    spec: { versions: [{ schema: { openAPIV3Schema: { properties: Record<string, SchemaNode> } } }] }
  }
  const { spec } = older.spec.versions[0].schema.openAPIV3Schema.properties
  delete spec?.properties?.['source']?.properties?.['onDataLoss']?.default
  return older
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  default?: unknown
}
