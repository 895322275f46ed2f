import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { aPipeline } from './given.ts'

const readyIs = (name: string, status: string, reason: string) => {
  const condition = { type: 'Ready', status, reason, message: '', lastTransitionTime: '2026-06-01T12:00:00Z' }
  const pipeline = aPipeline({}, { conditions: [condition as never] })
  return { ...pipeline, metadata: { ...pipeline.metadata, name } }
}

async function told(isLeader: boolean): Promise<readonly string[]> {
  const pipelines = [
    readyIs('well', 'True', 'Ready'),
    readyIs('cut-off', 'False', 'SourceUnreachable'),
    readyIs('resting', 'False', 'Suspended'),
    readyIs('leaving', 'False', 'Suspending'),
    readyIs('planned', 'False', 'Planned'),
    readyIs('new', 'Unknown', 'NotLookedYet'),
    aPipeline()
  ]
  const live = { queueKeys: () => 0, isLeader: () => isLeader, watches: () => [], pipelines: () => pipelines }
  const { body } = await new OperatorMetrics(live).scrape()
  return body.match(/^bronze_pipeline_ready.*$/gm) ?? []
}

test('whether pipelines are ready is told, but of those that are not meant to be', async () => {
  assert.deepEqual(await told(true), [
    'bronze_pipeline_ready{namespace="lake",pipeline="well"} 1',
    'bronze_pipeline_ready{namespace="lake",pipeline="cut-off"} 0'
  ])
})

test('who stands by tells nothing of pipelines', async () => assert.deepEqual(await told(false), []))
