import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { BronzePipeline, BronzePipelineStatus } from '../../../crds/pipeline.ts'
import { settle } from '../../../crds/settle.ts'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { plan, type Observed } from '../../../operator/plan.ts'
import { render } from '../../../operator/objects/pod-template.ts'
import type { Render } from '../../../operator/revision/revision.ts'
import { secretsOf } from '../../../operator/objects/secret-names.ts'
import type { Deployment } from '../../../operator/objects/workload.ts'
import { afterwards, aLag, aPipeline, deploymentIn, NOW, observing, sentences, withAllReady } from '../given.ts'

/** Objects as version 0.1.0 made them, with the pipelines they were made from. */
interface Golden {
  readonly pipeline: BronzePipeline
  readonly objects: readonly KubeObject[]
}

const folder = new URL('golden/', import.meta.url)
const golden = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden

/** What this version sees of a pipeline that 0.1.0 has left running. */
function left({ pipeline, objects }: Golden, change: Partial<BronzePipelineStatus> = {}): Observed {
  const of = (kind: string) => objects.filter(object => object.kind === kind)
  const settled = settle(pipeline)
  const [deployment] = of('Deployment') as Deployment[]
  const status = {
    observedGeneration: 3,
    image: settled.consumer.image ?? 'bronze:0.1.0',
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: '2026-06-01T11:30:00Z' }
    ],
    ...change
  } as const
  const observed = observing(
    { ...pipeline, status },
    {
      deployment: withAllReady(deployment!),
      serviceAccount: of('ServiceAccount')[0],
      budget: of('PodDisruptionBudget')[0],
      configMaps: of('ConfigMap'),
      secrets: new Map(secretsOf(settled).map(name => [name, `hash of ${name}`])),
      source: { lag: aLag({ partitions: 2 }), trouble: undefined }
    }
  )
  return { ...observed, pods: afterwards(observed, plan(observed, 'x', NOW)).pods }
}

/** A version of the operator that makes other pods of the same pipeline. */
const changed: Render = (blueprint, configName) => {
  const { config, template } = render(blueprint, configName)
  const { spec } = template
  return {
    config: config.replace('"spec"', '"note": "new", "spec"'),
    template: { ...template, spec: { ...spec, hostname: 'new' } }
  }
}

const templateOf = (deployment: Deployment | undefined) =>
  JSON.parse(JSON.stringify(deployment?.spec?.template ?? null)) as unknown

for (const name of readdirSync(folder)) {
  for (const version of [{}, { render: changed }]) {
    const what = version.render === undefined ? 'this version' : 'one with other pods'
    test(`consumers of 0.1.0 go on under ${what}, for days: ${name}`, () => {
      const made = golden(name)
      // That pipeline follows the operator in all but its image, which it names.
      const pipeline = {
        ...made.pipeline,
        spec: { ...made.pipeline.spec, consumer: { ...made.pipeline.spec.consumer, upgrade: 'Manual' as const } }
      }
      const there = templateOf(made.objects.find(({ kind }) => kind === 'Deployment'))
      let observed = left({ ...made, pipeline })
      for (let turn = 0; turn < 5; turn++) {
        const planned = plan(observed, 'bronze:0.2.0', NOW + turn * 86_400_000, version)
        const applied = deploymentIn(planned)
        if (applied !== undefined) assert.deepEqual(templateOf(applied), there)
        if (turn > 1) assert.deepEqual(sentences(planned), [])
        observed = afterwards(observed, planned)
        assert.deepEqual(templateOf(observed.deployment), there)
      }
      assert.equal(observed.pipeline.status?.revision?.healthy, true)
    })
  }
}

test('a Secret that is missing during the upgrade, and comes back later, restarts nothing', () => {
  let observed = left(golden('security-scram.json'))
  const { secrets } = observed
  const there = templateOf(observed.deployment)
  for (const missing of [true, true, false, false]) {
    const now = missing ? new Map([...secrets].map(([name]) => [name, undefined])) : secrets
    const planned = plan({ ...observed, secrets: now }, 'bronze:0.2.0', NOW, { render: changed })
    observed = afterwards(observed, planned)
    assert.deepEqual(templateOf(observed.deployment), there)
  }
})

test('what 0.1.0 did not carry out is carried out', () => {
  const held = {
    type: 'WorkloadAvailable',
    status: 'False',
    reason: 'ApplyFailed',
    message: '',
    lastTransitionTime: ''
  } as const
  for (const status of [{ observedGeneration: 2 }, { conditions: [held] }]) {
    const planned = plan(left(golden('smallest.json'), status), 'bronze:0.2.0', NOW)
    assert.notDeepEqual(templateOf(deploymentIn(planned)), null)
  }
})

test('an edit after the upgrade makes pods as this version makes them, and a Secret of 0.1.0 that changes restarts them', () => {
  const observed = left(golden('security-scram.json'))
  const settled = afterwards(observed, plan(observed, 'bronze:0.2.0', NOW))
  const rotated = new Map([...settled.secrets].map(([name]) => [name, 'other']))
  assert.ok(
    sentences(plan({ ...settled, secrets: rotated }, 'bronze:0.2.0', NOW))
      .join()
      .includes('apply Deployment')
  )
  const { spec, ...rest } = settled.pipeline
  const edited = { ...rest, spec: { ...spec, batch: { ...spec.batch, triggerInterval: '20s' } } }
  const planned = plan({ ...settled, pipeline: edited, parsed: { ok: true, pipeline: edited } }, 'bronze:0.2.0', NOW)
  const { template } = deploymentIn(planned)!.spec as { template: { metadata: { annotations: object } } }
  assert.ok('bronze.dev/restart-secrets' in template.metadata.annotations)
})

test('an edit after the upgrade blames no Secret, for none has changed', () => {
  const observed = left(golden('smallest.json'))
  const settled = afterwards(observed, plan(observed, 'bronze:0.2.0', NOW))
  const { spec, ...rest } = settled.pipeline
  const edited = { ...rest, spec: { ...spec, batch: { ...spec.batch, triggerInterval: '20s' } } }
  const { notes } = plan({ ...settled, pipeline: edited, parsed: { ok: true, pipeline: edited } }, 'bronze:0.1.0', NOW)
  assert.deepEqual(
    notes.filter(({ reason }) => reason === 'Restarting').map(({ message }) => message),
    ['consumers start anew: the configuration changed']
  )
})

test('the golden pipelines are of all four sinks', () => {
  const kinds = readdirSync(folder).map(name => settle(golden(name).pipeline).sink.kind)
  assert.deepEqual([...new Set(kinds)].toSorted(), ['delta', 'iceberg', 's3', 'snowflake'])
  assert.ok(aPipeline().metadata.uid)
})
