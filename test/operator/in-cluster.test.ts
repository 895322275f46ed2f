import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeInCluster } from '../../operator/in-cluster.ts'
import { plan } from '../../operator/plan.ts'
import { aPipeline, conditionOf, IMAGE, NOW, observing, sentences } from './given.ts'

const inFolder = aPipeline({ sink: { delta: { location: 'file:///var/lib/tables' } } })

test('a sink in a folder is refused, and no consumer started: pods have no folder that outlives them', () => {
  const parsed = judgeInCluster({ ok: true, pipeline: inFolder })
  const planned = plan({ ...observing(inFolder), parsed }, IMAGE, NOW)
  assert.deepEqual(sentences(planned), [])
  assert.equal(conditionOf(planned, 'SpecAccepted'), 'False InvalidSpec')
  const message = planned.status.conditions?.find(({ type }) => type === 'Stalled')?.message
  assert.match(message ?? '', /^spec\.sink\.delta\.location: .*s3:\/\//)
})

test('raw objects in a folder are refused too', () => {
  const pipeline = aPipeline({ sink: { s3: { location: 'file:///var/lib/raw' } } })
  const parsed = judgeInCluster({ ok: true, pipeline })
  assert.ok(!parsed.ok)
  assert.equal(parsed.problems[0]?.path, 'spec.sink.s3.location')
})

test('what is valid and has no folder is accepted as it is', () => {
  for (const sink of [
    { delta: { location: 's3://lake/file' } },
    { iceberg: { catalog: { uri: 'http://catalog' } } },
    { s3: { location: 's3://lake/file' } }
  ]) {
    const accepted = { ok: true, pipeline: aPipeline({ sink }) } as const
    assert.equal(judgeInCluster(accepted), accepted)
  }
})

test('what was refused before stays refused for the same reasons', () => {
  const refused = { ok: false, problems: [{ path: 'spec', message: 'is wrong' }] } as const
  assert.equal(judgeInCluster(refused), refused)
})
