import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan, type Observed, type Version } from '../../operator/plan.ts'
import { render } from '../../operator/objects/pod-template.ts'
import type { Render } from '../../operator/revision/revision.ts'
import type { Deployment } from '../../operator/objects/workload.ts'
import { afterwards, aPipeline, conditionOf, deploymentIn, IMAGE, inPeace, NOW, observing, sentences } from './given.ts'

const now = (observed: Observed, image = IMAGE, version: Version = {}, afterMs = 0) =>
  plan(observed, image, NOW + afterMs, version)

/** A version of the operator that makes other pods, and another text, of the same pipeline. */
const changed: Render = (blueprint, configName) => {
  const { config, template } = render(blueprint, configName)
  const labels = { ...template.metadata.labels, 'new.version': 'yes' }
  return { config: `${config}\n`, template: { ...template, metadata: { ...template.metadata, labels } } }
}

const template = (deployment: Deployment | undefined) => deployment?.spec?.template

/** An edit that never becomes ready, seen each minute until minute `until`. */
function failing(
  spec: object,
  change: (minute: number) => Partial<Observed> = () => ({}),
  until = 20,
  updatedReplicas = 3
) {
  const healthy = inPeace()
  const edited = aPipeline(spec, healthy.pipeline.status)
  const parsed = { ok: true, pipeline: edited } as const
  let observed: Observed = { ...healthy, pipeline: edited, parsed }
  const reasons: string[] = []
  let last = now(observed)
  for (let minute = 0; minute <= until; minute++) {
    last = now({ ...observed, ...change(minute) }, IMAGE, {}, minute * 60_000)
    reasons.push(conditionOf(last, 'WorkloadAvailable'))
    const after = afterwards(observed, last)
    const isFirst =
      template(after.deployment) !== undefined && configName(after) === healthy.configMaps[0]!.metadata.name
    const { deployment } = after
    const status = isFirst
      ? deployment!.status
      : { ...deployment!.status, updatedReplicas, readyReplicas: 0, availableReplicas: 0 }
    observed = { ...after, parsed, deployment: { ...deployment!, status: status ?? {} } }
  }
  return { healthy, last, observed, reasons }
}

const configName = ({ deployment }: Observed) =>
  deployment?.spec?.template?.spec?.volumes?.find(({ configMap }) => configMap !== undefined)?.configMap?.name

test('consumers that do not become ready within ten minutes make room for the last healthy ones, and it is said', () => {
  const { healthy, last, observed } = failing({ batch: { triggerInterval: '20s' } })
  assert.deepEqual(template(observed.deployment), template(healthy.deployment))
  assert.equal(conditionOf(last, 'WorkloadAvailable'), 'False RevisionRolledBack')
  assert.equal(conditionOf(last, 'Ready'), 'False RevisionRolledBack')
  assert.equal(conditionOf(last, 'Stalled'), 'True RevisionRolledBack')
  assert.equal(conditionOf(last, 'Reconciling'), 'False Stalled')
  assert.deepEqual(sentences(last), [])
  assert.equal(observed.configMaps.length, 2)
})

test('that is told once, as a warning', () => {
  const told = failing({ batch: { triggerInterval: '20s' } }, () => ({}), 11)
  assert.equal(conditionOf(told.last, 'WorkloadAvailable'), 'False RevisionRolledBack')
  assert.deepEqual(
    told.last.notes.map(({ type, reason }) => `${type} ${reason}`),
    ['Normal Restarting', 'Warning RevisionRolledBack']
  )
})

test('while the brokers are away the time does not run, unless the edit is of how they are reached', () => {
  const trouble = { reason: 'SourceUnreachable', message: 'no broker answers' }
  const away = () => ({ source: { lag: undefined, trouble } })
  const outage = failing({ batch: { triggerInterval: '20s' } }, away)
  assert.ok(!outage.reasons.includes('False RevisionRolledBack'), outage.reasons.join(', '))
  const wrong = failing({ source: { bootstrapServers: ['kafak:9092'] } }, away)
  assert.equal(wrong.reasons.at(-1), 'False RevisionRolledBack')
})

test('with Rolling each consumer has the whole time, for it waits for those before it', () => {
  const rolling = (updatedReplicas: number) => {
    const spec = { batch: { triggerInterval: '20s' }, consumer: { rollout: 'Rolling' } }
    const { reasons } = failing(spec, () => ({}), 25, updatedReplicas)
    return reasons.indexOf('False RevisionRolledBack')
  }
  assert.deepEqual([rolling(0), rolling(1), rolling(2)], [11, 11, 21])
})

test('with readyTimeout: 0s the new consumers are waited for', () => {
  const { reasons } = failing({ batch: { triggerInterval: '20s' }, consumer: { readyTimeout: '0s' } }, () => ({}), 60)
  assert.ok(!reasons.includes('False RevisionRolledBack'))
})

test('what was rolled back is tried again by a newer operator only when it makes something else of it', () => {
  const { observed } = failing({ batch: { triggerInterval: '20s' } })
  assert.deepEqual(sentences(now(observed, 'bronze:2', { render: changed }, 3_600_000)), [])
})

const planning = (observed: Observed, spec: object = {}): Observed => {
  const pipeline = aPipeline({ ...spec, mode: 'Plan' }, observed.pipeline.status)
  return { ...observed, pipeline, parsed: { ok: true, pipeline } }
}

test('in mode Plan nothing is done, and what would be is proposed', () => {
  const fresh = observing(aPipeline())
  const planned = now(planning(fresh))
  assert.deepEqual(sentences(planned), [])
  assert.deepEqual(
    planned.proposed?.map(({ object }) => object.kind),
    ['ServiceAccount', 'ConfigMap', 'PodDisruptionBudget', 'Deployment']
  )
  assert.equal(conditionOf(planned, 'Ready'), 'False Planned')
  assert.equal(conditionOf(planned, 'WorkloadAvailable'), 'False Planned')
  assert.equal(conditionOf(planned, 'Reconciling'), 'False Planned')
  assert.equal(planned.status.revision, undefined)
  assert.equal(now(fresh).proposed, undefined)
})

test('a plan in the status has the answers of the API server, and an event tells of a new one', () => {
  const dryRun = [
    { do: 'create', kind: 'ConfigMap', name: 'a', diff: ['+ x: 1'] },
    { do: 'change', kind: 'Deployment', name: 'b', diff: Array.from({ length: 900 }, (_, line) => `+ line: ${line}`) },
    { do: 'create', kind: 'ServiceAccount', name: 'c', diff: [], refusal: 'exceeded quota' }
  ] as const
  const observed = planning(observing(aPipeline()))
  const planned = now({ ...observed, dryRun })
  const { plan: told } = planned.status
  assert.equal(told?.generation, 3)
  assert.equal(
    told.message,
    'spec.mode: Apply creates ConfigMap, ServiceAccount; changes Deployment; the API server refuses 1 of them'
  )
  assert.deepEqual(told.changes?.[0], { do: 'Create', kind: 'ConfigMap', name: 'a', diff: ['+ x: 1'] })
  assert.deepEqual(told.changes[2], { do: 'Create', kind: 'ServiceAccount', name: 'c', refusal: 'exceeded quota' })
  const { diff = [] } = told.changes[1]!
  assert.ok(diff.length <= 256 && Buffer.byteLength(diff.join('\n')) <= 4096 && diff.at(-1) === '...')
  assert.deepEqual(planned.notes, [{ type: 'Normal', reason: 'Planned', message: told.message }])
  const again = now({ ...observed, dryRun, pipeline: { ...observed.pipeline, status: planned.status } })
  assert.deepEqual(again.notes, [])
})

test('to plan while consumers run leaves them as they are, and the way back carries the changes out', () => {
  const running = inPeace()
  const edited = planning(running, { batch: { triggerInterval: '20s' } })
  const planned = now({ ...edited, dryRun: [{ do: 'change', kind: 'Deployment', name: 'x', diff: ['+ a'] }] })
  assert.deepEqual(sentences(planned), [])
  assert.equal(conditionOf(planned, 'Ready'), 'True Ready')
  assert.equal(conditionOf(planned, 'Reconciling'), 'False Planned')
  assert.deepEqual(planned.status.revision, running.pipeline.status?.revision)
  const applied = aPipeline({ batch: { triggerInterval: '20s' } }, planned.status)
  const done = now({ ...running, pipeline: applied, parsed: { ok: true, pipeline: applied } })
  assert.ok(deploymentIn(done) !== undefined)
  assert.equal(done.status.plan, undefined)
})
