import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan, type Observed, type Version } from '../../operator/plan.ts'
import { render } from '../../operator/objects/pod-template.ts'
import type { Render } from '../../operator/revision/revision.ts'
import type { Deployment } from '../../operator/objects/workload.ts'
import { aLag, afterwards, aPipeline, conditionOf, deploymentIn, IMAGE, inPeace, NOW, sentences } from './given.ts'

const now = (observed: Observed, image = IMAGE, version: Version = {}, afterMs = 0) =>
  plan(observed, image, NOW + afterMs, version)

test('suspend stops all consumers, also those whose Secret is gone', () => {
  const observed = inPeace()
  const suspended = aPipeline({ suspend: true }, observed.pipeline.status)
  const made = now({
    ...observed,
    pipeline: suspended,
    parsed: { ok: true, pipeline: suspended },
    secrets: new Map([['minio', undefined]])
  })
  assert.equal(deploymentIn(made)?.spec?.replicas, 0)
  assert.equal(conditionOf(made, 'Ready'), 'False Suspending')
})

test('suspended is who has left: while pods or members are there it is suspending', () => {
  const observed = inPeace()
  const pipeline = aPipeline({ suspend: true }, observed.pipeline.status)
  const parsed = { ok: true, pipeline } as const
  const stopping = { ...observed, pipeline, parsed }
  const gone = afterwards(stopping, now(stopping))
  const members = (members: number, foreignMembers = 0) =>
    now({
      ...gone,
      parsed,
      source: { ...gone.source, group: { state: 'Stable', members, foreignMembers, foreign: [] } }
    })
  for (const [planned, ready, reconciling] of [
    [now({ ...gone, parsed, pods: observed.pods }), 'False Suspending', 'True Suspending'],
    [members(2), 'False Suspending', 'True Suspending'],
    [members(0), 'False Suspended', 'False UpToDate'],
    [members(1, 1), 'False Suspended', 'False UpToDate'],
    [now({ ...gone, parsed }), 'False Suspended', 'False UpToDate']
  ] as const) {
    assert.equal(conditionOf(planned, 'Ready'), ready)
    assert.equal(conditionOf(planned, 'WorkloadAvailable'), ready)
    assert.equal(conditionOf(planned, 'Reconciling'), reconciling)
    assert.equal(conditionOf(planned, 'Stalled'), 'False NotStalled')
  }
  assert.equal(now({ ...gone, parsed }).status.summary?.pods, '0/0')
})

test('a Secret that consumers read anew by themselves restarts none of them', () => {
  assert.deepEqual(sentences(now({ ...inPeace(), secrets: new Map([['minio', 'hash-2']]) })), [])
})

test('a changed Secret that they read at their start alone starts them anew', () => {
  const s3 = { caSecretRef: { name: 'minio' } }
  const observed = inPeace(aPipeline({ sink: { delta: { location: 's3://lake/warehouse', s3 } } }))
  const made = now({ ...observed, secrets: new Map([['minio', 'hash-2']]) })
  assert.deepEqual(sentences(made), ['apply Deployment shop-consumer'])
  assert.deepEqual(
    made.notes.map(({ message }) => message),
    ['consumers start anew: a Secret changed']
  )
})

test('the last healthy configuration outlives one that never became healthy', () => {
  const healthy = inPeace()
  const first = healthy.configMaps[0]!.metadata.name
  const edit = (interval: string) => aPipeline({ batch: { triggerInterval: interval } }, healthy.pipeline.status)
  const broken = stuck(healthy, edit('20s'))
  const second = broken.configMaps.find(({ metadata }) => metadata.name !== first)!.metadata.name
  const third = edit('30s')
  const after = stuck({ ...broken, pipeline: { ...broken.pipeline, status: now(broken).status } }, third)
  const planned = now({ ...after, parsed: { ok: true, pipeline: third } })
  assert.deepEqual(sentences(planned), [`delete ConfigMap ${second}`])
  assert.ok(after.configMaps.some(({ metadata }) => metadata.name === first))
})

test('older configurations are deleted once all consumers are ready with the new one', () => {
  const before = inPeace()
  const first = before.configMaps[0]!.metadata.name
  const edited = aPipeline({ batch: { triggerInterval: '20s' } }, before.pipeline.status)
  let observed: Observed = { ...before, pipeline: edited, parsed: { ok: true, pipeline: edited } }
  const told: string[] = []
  for (let turn = 0; turn < 3; turn++) {
    const planned = now(observed)
    told.push(...sentences(planned))
    observed = { ...afterwards(observed, planned), parsed: observed.parsed }
  }
  assert.ok(told.includes(`delete ConfigMap ${first}`), told.join('; '))
  assert.equal(observed.configMaps.length, 1)
})

test('an own service account makes ours superfluous, after the consumers have left it', () => {
  const before = inPeace()
  const edited = aPipeline({ consumer: { serviceAccountName: 'mine' } }, before.pipeline.status)
  const observed = { ...before, pipeline: edited, parsed: { ok: true, pipeline: edited } as const }
  const planned = now(observed)
  const later = now({ ...afterwards(observed, planned), parsed: observed.parsed })
  assert.ok(sentences(later).includes('delete ServiceAccount shop-consumer'))
})

/** A version of the operator that makes other pods, and another text, of the same pipeline. */
const changed: Render = (blueprint, configName) => {
  const { config, template } = render(blueprint, configName)
  const labels = { ...template.metadata.labels, 'new.version': 'yes' }
  return { config: `${config}\n`, template: { ...template, metadata: { ...template.metadata, labels } } }
}

const template = (deployment: Deployment | undefined) => deployment?.spec?.template

test('a newer operator that makes other pods, with another image, changes nothing of a pipeline with upgrade: Manual', () => {
  const observed = inPeace()
  assert.deepEqual(sentences(now(observed, 'bronze:2', { render: changed })), [])
  // Scaling, suspending, planning and resuming are no reason either.
  for (const spec of [
    { scaling: { mode: 'External', replicas: 7 } },
    { suspend: true },
    { consumer: { rollout: 'Rolling', readyTimeout: '1h' } }
  ]) {
    const edited = aPipeline(spec, observed.pipeline.status)
    const planned = now({ ...observed, pipeline: edited, parsed: { ok: true, pipeline: edited } }, 'bronze:2', {
      render: changed
    })
    assert.deepEqual(template(deploymentIn(planned)), template(observed.deployment))
  }
})

test('an edit makes pods as the newer operator makes them, with the image as it was', () => {
  const observed = inPeace()
  const edited = aPipeline({ batch: { triggerInterval: '20s' } }, observed.pipeline.status)
  const planned = now({ ...observed, pipeline: edited, parsed: { ok: true, pipeline: edited } }, 'bronze:2', {
    render: changed
  })
  const made = template(deploymentIn(planned)) as { metadata: { labels: object } } & ReturnType<typeof template>
  assert.ok('new.version' in made.metadata.labels)
  assert.equal(made?.spec?.containers?.[0]?.image, IMAGE)
})

test('with upgrade: Automatic consumers follow once, and are then left alone', () => {
  const observed = inPeace(aPipeline({ consumer: { upgrade: 'Automatic', image: 'mine:1' } }))
  const planned = now(observed, 'bronze:2', { render: changed })
  assert.ok(deploymentIn(planned) !== undefined)
  const after = afterwards(observed, planned)
  assert.deepEqual(
    sentences(now(after, 'bronze:2', { render: changed })).filter(text => text.includes('Deployment')),
    []
  )
})

test('to choose Automatic, or Manual again, restarts nothing by itself', () => {
  let observed = inPeace()
  for (const upgrade of ['Automatic', 'Manual', 'Automatic']) {
    const edited = aPipeline({ consumer: { upgrade } }, observed.pipeline.status)
    observed = { ...observed, pipeline: edited, parsed: { ok: true, pipeline: edited } }
    const planned = now(observed)
    assert.deepEqual(sentences(planned), [], upgrade)
    observed = afterwards(observed, planned)
  }
  // And what was made under Automatic stays under Manual when the operator is another one.
  const manual = aPipeline({ consumer: { upgrade: 'Manual' } }, observed.pipeline.status)
  const later = now({ ...observed, pipeline: manual, parsed: { ok: true, pipeline: manual } }, 'bronze:2', {
    render: changed
  })
  assert.deepEqual(sentences(later), [])
})

test('a ConfigMap under the name of a revision that holds other pods is not believed: it goes, then ours is made', () => {
  const observed = inPeace()
  const [config] = observed.configMaps as unknown as [{ data: Record<string, string> }]
  const data = { ...config.data, 'template.json': config.data['template.json']!.replace(IMAGE, 'evil:1') }
  const forged = { ...observed, configMaps: [{ ...config, data }] } as unknown as Observed
  // A ConfigMap of ours cannot be changed.
  const { name } = observed.configMaps[0]!.metadata
  assert.deepEqual(sentences(now(forged)), [`delete ConfigMap ${name}`])
  assert.deepEqual(sentences(now({ ...observed, configMaps: [] })), [`apply ConfigMap ${name}`])
})

test('nothing is done with a copy of the pipeline that is older than what was applied already', () => {
  const observed = inPeace()
  const { deployment } = observed
  const annotations = { ...deployment!.metadata.annotations, 'bronze.dev/generation': '4' }
  const ahead = { ...observed, deployment: { ...deployment!, metadata: { ...deployment!.metadata, annotations } } }
  const old = aPipeline({ suspend: true }, observed.pipeline.status)
  const planned = now({ ...ahead, pipeline: old, parsed: { ok: true, pipeline: old } })
  assert.deepEqual(sentences(planned), [])
  assert.equal(planned.isWaiting, true)
})

test('who stops or restarts consumers must have seen their Deployment as it is; who adds some need not', () => {
  const observed = inPeace()
  const { deployment } = observed
  const versioned = { ...deployment!, metadata: { ...deployment!.metadata, resourceVersion: '77' } }
  const versionOf = (spec: object, lag = aLag()) => {
    const edited = aPipeline(spec, observed.pipeline.status)
    const source = { lag, trouble: undefined }
    const planned = now({
      ...observed,
      deployment: versioned,
      pipeline: edited,
      parsed: { ok: true, pipeline: edited },
      source
    })
    return deploymentIn(planned)?.metadata.resourceVersion
  }
  assert.equal(versionOf({ suspend: true }), '77')
  assert.equal(versionOf({ batch: { triggerInterval: '20s' } }), '77')
  assert.equal(versionOf({}, aLag({ partitions: 2 })), '77')
  assert.equal(versionOf({}, aLag({ partitions: 9 })), undefined)
})

test('a young ConfigMap is not deleted, however useless it looks: our copy of what uses it may be behind', () => {
  const before = inPeace()
  const stray = (creationTimestamp: string) => {
    const [config] = before.configMaps
    const metadata = { ...config!.metadata, name: 'shop-config-other', creationTimestamp }
    return now({ ...before, configMaps: [config!, { ...config!, metadata }] })
  }
  assert.deepEqual(sentences(stray('2026-06-01T11:59:00Z')), [])
  assert.deepEqual(sentences(stray('2026-06-01T11:50:00Z')), ['delete ConfigMap shop-config-other'])
})

test('a pipeline whose text does not fit into a ConfigMap is refused with what to do, and what runs is left', () => {
  const observed = inPeace()
  const long: Render = (blueprint, name) => ({ ...render(blueprint, name), config: 'x'.repeat(1_050_000) })
  const edited = aPipeline({ batch: { triggerInterval: '20s' } }, observed.pipeline.status)
  const refused = now({ ...observed, pipeline: edited, parsed: { ok: true, pipeline: edited } }, IMAGE, {
    render: long
  })
  assert.deepEqual(sentences(refused), [])
  assert.equal(conditionOf(refused, 'SpecAccepted'), 'False InvalidSpec')
  const { message } = refused.status.conditions!.find(({ type }) => type === 'SpecAccepted')!
  assert.match(message, /^spec: what consumers read takes \d+ bytes, and a ConfigMap holds 1048576: divide spec.topics/)
})

/** The edit was carried out, and its consumers never become ready. */
function stuck(observed: Observed, edited: Observed['pipeline']): Observed {
  const before: Observed = { ...observed, pipeline: edited, parsed: { ok: true, pipeline: edited } }
  const after = afterwards(before, now(before))
  const { deployment } = after
  const status = { ...deployment!.status, readyReplicas: 0, availableReplicas: 0 }
  return { ...after, deployment: { ...deployment!, status } }
}
