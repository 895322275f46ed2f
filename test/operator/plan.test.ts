import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BronzePipelineStatus } from '../../crds/pipeline.ts'
import { plan, type Observed } from '../../operator/plan.ts'
import type { Deployment } from '../../operator/objects/workload.ts'
import {
  aLag,
  anEntry,
  aPipeline,
  conditionOf,
  deploymentIn,
  foreign,
  IMAGE,
  inPeace,
  NOW,
  observing,
  sentences
} from './given.ts'

const now = (observed: Observed, image = IMAGE) => plan(observed, image, NOW)

test('a new pipeline gets its account, configuration, budget and as many consumers as it has partitions', () => {
  const made = now(observing(aPipeline()))
  assert.deepEqual(
    sentences(made).map(sentence => sentence.replace(/config-\w+/, 'config-HASH')),
    [
      'apply ServiceAccount shop-consumer',
      'apply ConfigMap shop-config-HASH',
      'apply PodDisruptionBudget shop-consumer',
      'apply Deployment shop-consumer'
    ]
  )
  assert.equal(deploymentIn(made)?.spec?.replicas, 3)
  assert.equal(conditionOf(made, 'Ready'), 'False Progressing')
  assert.equal(conditionOf(made, 'Reconciling'), 'True Progressing')
  assert.deepEqual(made.notes, [{ type: 'Normal', reason: 'Created', message: 'starts 3 consumers' }])
})

test('a pipeline in peace is left alone, and says that it is ready', () => {
  const quiet = now(inPeace())
  assert.deepEqual(sentences(quiet), [])
  assert.equal(conditionOf(quiet, 'Ready'), 'True Ready')
  assert.equal(conditionOf(quiet, 'Reconciling'), 'False UpToDate')
  assert.deepEqual(quiet.notes, [])
})

test('no consumer is started before the number of partitions is known', () => {
  const held = now(observing(aPipeline(), { source: { lag: undefined, trouble: undefined } }))
  assert.equal(deploymentIn(held), undefined)
  assert.equal(conditionOf(held, 'ScalingActive'), 'False Held')
  assert.equal(conditionOf(held, 'WorkloadAvailable'), 'False Held')
})

test('External needs no partitions to start', () => {
  const external = aPipeline({ scaling: { mode: 'External', replicas: 2 } })
  const made = now(observing(external, { source: { lag: undefined, trouble: undefined } }))
  assert.equal(deploymentIn(made)?.spec?.replicas, 2)
})

test('when the brokers are away, what runs is left as it is and its lag is unknown, not zero', () => {
  const observed = inPeace()
  const trouble = { reason: 'SourceUnreachable', message: 'no broker answers' }
  const away = now({ ...observed, source: { lag: undefined, trouble } })
  assert.deepEqual(sentences(away), [])
  assert.equal(away.status.summary?.lag, '?')
  assert.equal(away.status.lag, undefined)
  assert.equal(conditionOf(away, 'LagKnown'), 'False SourceUnreachable')
  assert.equal(conditionOf(away, 'Ready'), 'False SourceUnreachable')
  assert.deepEqual(away.notes, [{ type: 'Warning', reason: 'SourceUnreachable', message: 'no broker answers' }])
})

test('more partitions bring more consumers, and the event says so', () => {
  const grown = now({ ...inPeace(), source: { lag: aLag({ partitions: 5 }), trouble: undefined } })
  assert.equal(deploymentIn(grown)?.spec?.replicas, 5)
  assert.deepEqual(grown.notes, [{ type: 'Normal', reason: 'Scaled', message: 'from 3 to 5 consumers' }])
})

test('changing only the number of consumers restarts none: the configuration keeps its name', () => {
  const observed = inPeace()
  const scaled = aPipeline({ scaling: { mode: 'External', replicas: 7 } }, observed.pipeline.status)
  const made = now({ ...observed, pipeline: scaled, parsed: { ok: true, pipeline: scaled } })
  assert.deepEqual(sentences(made), ['apply Deployment shop-consumer'])
  assert.deepEqual(template(deploymentIn(made)), template(observed.deployment))
})

test('an invalid spec stalls and leaves what runs alone', () => {
  const observed = inPeace()
  const parsed = { ok: false, problems: [{ path: 'spec.topics', message: 'is wrong' }] } as const
  const refused = now({ ...observed, parsed })
  assert.deepEqual(sentences(refused), [])
  assert.equal(conditionOf(refused, 'SpecAccepted'), 'False InvalidSpec')
  assert.equal(conditionOf(refused, 'Stalled'), 'True InvalidSpec')
  assert.equal(conditionOf(refused, 'Reconciling'), 'False Stalled')
  assert.equal(refused.status.image, IMAGE)
  assert.deepEqual(
    refused.notes.map(({ reason }) => reason),
    ['InvalidSpec']
  )
})

test('a missing Secret is named and keeps consumers from being started or changed', () => {
  const secrets = new Map([['minio', undefined]])
  const fresh = now(observing(aPipeline(), { secrets }))
  assert.equal(deploymentIn(fresh), undefined)
  assert.equal(conditionOf(fresh, 'SinkReachable'), 'False SecretMissing')
  assert.deepEqual(sentences(now({ ...inPeace(), secrets })), [])
})

test('a missing Secret of the schema registry belongs to the source, one of the catalog to the sink', () => {
  const ref = (name: string) => ({ credentialsSecretRef: { name } })
  const typed = aPipeline({
    source: { bootstrapServers: ['kafka:9092'], schemaRegistry: { url: 'http://registry:8081', ...ref('registry') } },
    sink: { iceberg: { catalog: { uri: 'http://catalog:8181', ...ref('catalog') } } }
  })
  const without = (name: string) =>
    now(
      observing(typed, {
        secrets: new Map([
          ['registry', 'hash'],
          ['catalog', 'hash'],
          [name, undefined]
        ])
      })
    )
  assert.equal(conditionOf(without('registry'), 'SourceReachable'), 'False SecretMissing')
  assert.equal(conditionOf(without('catalog'), 'SinkReachable'), 'False SecretMissing')
  assert.equal(deploymentIn(without('none'))?.spec?.replicas, 3)
  assert.equal(without('none').status.summary?.sink, 'iceberg')
})

test('a new operator does not change the image of a pipeline, unless it asks for it', () => {
  assert.deepEqual(sentences(now(inPeace(), 'bronze:2')), [])
  const automatic = inPeace(aPipeline({ consumer: { upgrade: 'Automatic' } }))
  assert.equal(image(deploymentIn(now(automatic, 'bronze:2'))), 'bronze:2')
  const named = inPeace(aPipeline({ consumer: { image: 'mine:5' } }))
  assert.equal(image(named.deployment), 'mine:5')
})

test('an image that is set and removed again leaves the one that the pipeline had', () => {
  const plain = inPeace()
  assert.equal(plain.pipeline.status?.defaultImage, IMAGE)
  const edited = (status: BronzePipelineStatus, consumer: object, operator: string) =>
    now(observing(aPipeline({ consumer }, status)), operator)
  const named = edited(plain.pipeline.status ?? {}, { image: 'mine:5' }, 'bronze:2')
  assert.equal(named.status.image, 'mine:5')
  const again = edited(named.status, {}, 'bronze:3')
  assert.equal(again.status.image, IMAGE)
  // One that has had an image of its own from the beginning.
  const own = edited({}, { image: 'mine:5' }, 'bronze:2')
  assert.equal(edited(own.status, {}, 'bronze:3').status.image, 'bronze:2')
})

test('a pipeline whose status was lost keeps the image that runs', () => {
  const observed = inPeace()
  const { status: _status, ...bare } = observed.pipeline
  assert.deepEqual(sentences(now({ ...observed, pipeline: bare }, 'bronze:2')), [])
})

test('an object of that name which is not ours is never touched', () => {
  const there = inPeace()
  const conflict = now({ ...observing(aPipeline()), deployment: foreign(there.deployment!) })
  assert.deepEqual(sentences(conflict), [])
  assert.equal(conditionOf(conflict, 'WorkloadAvailable'), 'False NameConflict')
  assert.equal(conditionOf(conflict, 'Stalled'), 'True NameConflict')
})

test('objects of a deleted pipeline of the same name are waited out', () => {
  const there = inPeace()
  const again = { ...aPipeline(), metadata: { ...aPipeline().metadata, uid: 'uid-2' } }
  const waiting = now({ ...there, pipeline: again, parsed: { ok: true, pipeline: again } })
  assert.deepEqual(sentences(waiting), [])
  assert.equal(waiting.isWaiting, true)
  assert.equal(conditionOf(waiting, 'Stalled'), 'False NotStalled')
})

test('somebody who changes what we set is corrected; what others add is left', () => {
  const observed = inPeace()
  const { deployment } = observed
  const added = {
    ...deployment!,
    metadata: { ...deployment!.metadata, labels: { ...deployment!.metadata.labels, x: 'y' } }
  }
  assert.deepEqual(sentences(now({ ...observed, deployment: added })), [])
  const scaled = { ...deployment!, spec: { ...deployment!.spec, replicas: 1 } }
  assert.deepEqual(sentences(now({ ...observed, deployment: scaled })), ['apply Deployment shop-consumer'])
})

test('what the API server refuses to apply is told in its words', () => {
  const refused = now({ ...inPeace(), refusal: 'Deployment.apps "shop-consumer" is invalid' })
  assert.equal(conditionOf(refused, 'Ready'), 'False ApplyFailed')
})

test('a pipeline that is a little behind has caught up, one that is far behind has not', () => {
  const behind = (behindSeconds: number) =>
    conditionOf(now({ ...inPeace(), source: { lag: aLag({ lag: 9, behindSeconds }), trouble: undefined } }), 'CaughtUp')
  assert.equal(behind(59), 'True CaughtUp')
  assert.equal(behind(61), 'False Behind')
})

test('the slack of a pipeline that commits rarely is two of its intervals', () => {
  const slow = inPeace(aPipeline({ batch: { triggerInterval: '10m' } }))
  const source = { lag: aLag({ lag: 9, behindSeconds: 1100 }), trouble: undefined }
  assert.equal(conditionOf(now({ ...slow, source }), 'CaughtUp'), 'True CaughtUp')
})

test('what was lost in the source and gone over is a condition and an event', () => {
  const dataLoss = { topic: 'orders', kind: 'Truncated', atMs: NOW - 5000 }
  const told = now({ ...inPeace(), source: { lag: aLag({}, { dataLoss }), trouble: undefined } })
  assert.equal(conditionOf(told, 'DataLoss'), 'True Truncated')
  assert.deepEqual(
    told.notes.map(({ reason }) => reason),
    ['DataLoss']
  )
})

test('sink trouble that consumers report makes the pipeline not ready, and its end is told', () => {
  const observed = inPeace()
  const bad = now({ ...observed, source: { lag: aLag({}, { sinkError: 'S3Unavailable' }), trouble: undefined } })
  assert.equal(conditionOf(bad, 'Ready'), 'False S3Unavailable')
  const good = now({ ...observed, pipeline: { ...observed.pipeline, status: bad.status } })
  assert.deepEqual(
    good.notes.map(({ reason }) => reason),
    ['Ready', 'SinkReachableAgain']
  )
})

test('a topic that is named and not there is told by name, and the lag is not known', () => {
  const entries = [anEntry(), anEntry({ name: 'gone', topics: [], missing: 'gone', partitions: 0, lag: undefined })]
  const told = now({ ...inPeace(), source: { lag: aLag({ entries, lag: undefined }), trouble: undefined } })
  assert.equal(conditionOf(told, 'SourceReachable'), 'False TopicMissing')
  assert.equal(conditionOf(told, 'LagKnown'), 'False TopicMissing')
  assert.equal(told.status.summary?.topics, '1/2')
})

const template = (deployment: Deployment | undefined) => deployment?.spec?.template
const image = (deployment: Deployment | undefined) => deployment?.spec?.template?.spec?.containers?.[0]?.image
