import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition } from '../../../crds/pipeline.ts'
import { plan, type Observed } from '../../../operator/plan.ts'
import type { Deployment } from '../../../operator/objects/workload.ts'
import { afterwards, aLag, aPipeline, foreign, IMAGE, inPeace, NOW, observing } from '../given.ts'

/**
 * What kstatus (sigs.k8s.io/cli-utils), which Flux and kpt follow, makes of a resource: Reconciling is in progress, Stalled
 * failed, then Ready decides.
 */
function kstatus(conditions: readonly Condition[], observedGeneration: number, generation: number): string {
  if (observedGeneration !== generation) return 'InProgress'
  const is = (type: string, status: string) =>
    conditions.some(condition => condition.type === type && condition.status === status)
  if (is('Reconciling', 'True')) return 'InProgress'
  if (is('Stalled', 'True')) return 'Failed'
  return is('Ready', 'True') ? 'Current' : 'InProgress'
}

const peace = inPeace()
const edited = (spec: object): Observed => {
  const pipeline = aPipeline(spec, peace.pipeline.status)
  return { ...peace, pipeline, parsed: { ok: true, pipeline } }
}
const ending = (exitCode: number, reason: string): Observed => {
  const terminated = { exitCode, message: JSON.stringify({ reason, message: 'words' }) }
  const containerStatuses = [{ name: 'consumer', ready: false, state: { terminated } }]
  return { ...peace, pods: peace.pods.map(pod => ({ ...pod, status: { containerStatuses } })) }
}
const unready = (deployment: Deployment) => ({ ...deployment, status: { ...deployment.status, readyReplicas: 1 } })
const suspended = edited({ suspend: true })
const drained = afterwards(suspended, plan(suspended, IMAGE, NOW))

const situations: readonly (readonly [string, Observed, string])[] = [
  ['a pipeline in peace', peace, 'Current'],
  ['a new one', observing(aPipeline()), 'InProgress'],
  ['an edit', edited({ batch: { triggerInterval: '20s' } }), 'InProgress'],
  ['an edit of the number of consumers', edited({ scaling: { mode: 'External', replicas: 9 } }), 'InProgress'],
  ['consumers that are not ready yet', { ...peace, deployment: unready(peace.deployment!) }, 'InProgress'],
  [
    'brokers that are away',
    { ...peace, source: { lag: undefined, trouble: { reason: 'SourceUnreachable', message: '' } } },
    'InProgress'
  ],
  ['a Secret that is missing', { ...peace, secrets: new Map([['minio', undefined]]) }, 'InProgress'],
  [
    'a lag, however large',
    { ...peace, source: { lag: aLag({ lag: 9e9, behindSeconds: 9e5 }), trouble: undefined } },
    'Current'
  ],
  ['an invalid spec', { ...peace, parsed: { ok: false, problems: [{ path: 'spec', message: 'is wrong' }] } }, 'Failed'],
  ['an object that is not ours', { ...observing(aPipeline()), deployment: foreign(peace.deployment!) }, 'Failed'],
  [
    'a group that an older pipeline has',
    { ...observing(aPipeline()), claim: { holder: 'a/b', what: 'group', name: 'g' } },
    'Failed'
  ],
  ['a consumer that only a person can help', ending(78, 'TableDropped'), 'Failed'],
  ['one that was killed', ending(137, 'OOMKilled'), 'InProgress'],
  ['a spec that was rolled back', goneBack(), 'Failed'],
  ['a suspension', suspended, 'InProgress'],
  ['a pipeline that is suspended', { ...drained, parsed: suspended.parsed }, 'InProgress'],
  ['a plan while nothing runs', { ...observing(aPipeline({ mode: 'Plan' })) }, 'InProgress'],
  ['a plan while consumers run', edited({ mode: 'Plan', batch: { triggerInterval: '20s' } }), 'Current']
]

/** An edit whose consumers did not become ready: those of before run again. */
function goneBack(): Observed {
  const failing = edited({ batch: { triggerInterval: '20s' } })
  const { status } = plan(failing, IMAGE, NOW)
  const wish = { name: status.revision?.name ?? '', time: '2026-06-01T11:00:00Z', reason: 'NotReady', message: 'words' }
  const revision = { ...peace.pipeline.status?.revision, rolledBack: wish }
  return { ...failing, pipeline: { ...failing.pipeline, status: { ...status, revision } } }
}

for (const [what, observed, expected] of situations) {
  test(`kstatus of ${what} is ${expected}, and it is never both under way and stuck`, () => {
    const { status } = plan(observed, IMAGE, NOW)
    const conditions = status.conditions ?? []
    const { generation = 0 } = observed.pipeline.metadata
    assert.equal(kstatus(conditions, status.observedGeneration ?? 0, generation), expected)
    const isTrue = (type: string) =>
      conditions.some(condition => condition.type === type && condition.status === 'True')
    assert.ok(!(isTrue('Reconciling') && isTrue('Stalled')))
    assert.ok(conditions.every(({ observedGeneration }) => observedGeneration === generation))
  })
}
