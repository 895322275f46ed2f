/** What becomes of a decision: the Deployment, the status, the condition, the event. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ScalingStatus } from '../../../crds/pipeline.ts'
import { parsePipeline } from '../../../crds/validate.ts'
import type { SourceView } from '../../../operator/facts.ts'
import { plan, type Observed } from '../../../operator/plan.ts'
import { writeAfterMs } from '../../../operator/status/status.ts'
import { aLag, aPipeline, conditionOf, deploymentIn, IMAGE, inPeace, NOW } from '../given.ts'
import { someRates } from './given.ts'

const PARTITIONS = 6
const SPEC = { scaling: { mode: 'Lag' } }
const remembered: ScalingStatus = { recordsPerSecond: 1000, measuredTime: '2026-06-01T11:59:30Z' }

const source = (rates: SourceView['rates']): SourceView => ({
  lag: aLag({ partitions: PARTITIONS }),
  group: { state: 'Stable', members: 1, foreignMembers: 0, foreign: [] },
  rates,
  trouble: undefined
})

/** One consumer that runs in peace, and what is now seen of its group. */
function observed(seen: SourceView, spec: object = SPEC): Observed {
  const peace = inPeace(aPipeline(SPEC))
  const pipeline = { ...aPipeline(spec), status: { ...peace.pipeline.status, scaling: remembered } }
  return { ...peace, pipeline, parsed: parsePipeline(pipeline), source: seen }
}

const backlog = source(someRates(PARTITIONS, { arrival: 1000, drain: 1000, lag: 1_500_000 }, { atMs: NOW }))

suite('a decision to have more consumers', () => {
  const planned = plan(observed(backlog), IMAGE, NOW)

  test('is applied', () => assert.equal(deploymentIn(planned)?.spec?.replicas, 6))

  test('is told with its reason and its figures', () => {
    assert.equal(conditionOf(planned, 'ScalingActive'), 'True CatchingUp')
    const note = planned.notes.find(({ reason }) => reason === 'Scaled')
    assert.equal(
      note?.message,
      'from 1 to 6 consumers: 1500000 records wait, 1000 come per second, and one consumer writes 1000'
    )
  })

  test('is remembered with what an operator that comes after must know', () => {
    assert.deepEqual(planned.status.scaling, {
      ...remembered,
      lastChangeTime: '2026-06-01T12:00:00Z',
      attempt: { replicas: 1, recordsPerSecond: 1000 }
    })
  })

  test('is not remembered as made when the API server refused it, another pipeline holds the table, or nothing may be done', () => {
    const refused = { ...observed(backlog), refusal: 'quota' }
    const claimed = { ...observed(backlog), claim: { holder: 'lake/other', what: 'group', name: 'g' } as const }
    const advised = { ...observed(backlog, { ...SPEC, mode: 'Plan' }) }
    for (const view of [refused, claimed, advised]) assert.deepEqual(plan(view, IMAGE, NOW).status.scaling, remembered)
  })
})

test('time alone may change the number: it is said when', () => {
  const calm = source(someRates(PARTITIONS, { arrival: 10, drain: 10 }, { atMs: NOW }))
  assert.equal(plan(observed(calm), IMAGE, NOW).lookAgainMs, undefined)
  const young = source(someRates(PARTITIONS, { arrival: 10, drain: 10 }, { atMs: NOW, spanMs: 15_000 }))
  const again = plan(observed(young), IMAGE, NOW)
  assert.equal(conditionOf(again, 'ScalingActive'), 'False Measuring')
  assert.ok((again.lookAgainMs ?? 0) >= 45_000)
})

test('the mode may change without a jump, in both directions', () => {
  const calm = source(someRates(PARTITIONS, { arrival: 10, drain: 10 }, { atMs: NOW }))
  const three = inPeace(aPipeline({ scaling: { mode: 'External', replicas: 3 } }))
  const pipeline = { ...aPipeline(SPEC), status: three.pipeline.status ?? {} }
  const byLag = plan({ ...three, pipeline, parsed: parsePipeline(pipeline), source: calm }, IMAGE, NOW)
  assert.equal(deploymentIn(byLag), undefined)
  const external = plan(observed(calm, { scaling: { mode: 'External', replicas: 1 } }), IMAGE, NOW)
  assert.equal(deploymentIn(external), undefined)
  assert.equal(external.status.scaling, undefined)
})

test('another turn is written at once, another measure with the figures, and its time with the exact ones', () => {
  const status = (scaling: ScalingStatus) => ({ scaling })
  const before = status(remembered)
  assert.equal(writeAfterMs(before, status({ ...remembered, belowSince: '2026-06-01T12:00:00Z' }), NOW, NOW), 0)
  assert.equal(writeAfterMs(before, status({ ...remembered, recordsPerSecond: 1100 }), NOW, NOW), 30_000)
  assert.equal(writeAfterMs(before, status({ ...remembered, measuredTime: '2026-06-01T12:00:00Z' }), NOW, NOW), 600_000)
  assert.equal(writeAfterMs(before, status({ ...remembered }), NOW, NOW), undefined)
})
