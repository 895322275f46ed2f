import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeReport } from '../../../crds/report.ts'
import { OperatorMetrics } from '../../../operator/metrics.ts'
import type { SourceView } from '../../../operator/facts.ts'
import { pipelineLag } from '../../../operator/source/lag.ts'
import type { PartitionOffsets } from '../../../operator/source/partition-offsets.ts'
import { plan } from '../../../operator/plan.ts'
import { aPipeline, aSettled, conditionOf, IMAGE, inPeace, NOW } from '../given.ts'

/** Unknown is never zero: each way not to know, followed from what Kafka said to the status, the metrics and the size. */

const metadata = encodeReport({ committedAtMs: NOW, version: '1', recordTimestampMs: NOW, deadLetters: 0 })

const at = (partition: number, change: Partial<PartitionOffsets> = {}): PartitionOffsets => ({
  topic: 'orders',
  partition,
  committed: 5,
  metadata,
  logStart: 0,
  lastStable: 5,
  ...change
})

const seen = (offsets: readonly PartitionOffsets[], topics: readonly string[] = ['orders']): SourceView => ({
  lag: pipelineLag(aSettled(), new Map([['orders', topics]]), offsets, NOW, new Map()),
  trouble: undefined
})

const trouble = { reason: 'SourceUnreachable', message: 'no broker answers' }
const whole = [at(0), at(1), at(2)]

const cases: readonly [string, SourceView][] = [
  ['nobody has looked yet', { lag: undefined, trouble: undefined }],
  ['no broker answers, after all was read', { ...seen(whole), trouble }],
  ['one broker of several is away', seen([at(0), at(1), at(2, { logStart: undefined, lastStable: undefined })])],
  ['a partition has no log start', seen([at(0), at(1), at(2, { logStart: undefined })])],
  ['a partition has no end', seen([at(0), at(1), at(2, { lastStable: undefined })])],
  ['a partition has no offset in the group', seen([at(0), at(1), at(2, { committed: undefined, metadata: '' })])],
  ['a commit lies beyond the end', seen([at(0), at(1), at(2, { committed: 9 })])],
  ['the topic is not there', seen([], [])]
]

for (const [name, source] of cases) {
  test(`${name}: no figure says 0, and what runs is left as it is`, async () => {
    const observed = { ...inPeace(), source }
    const planned = plan(observed, IMAGE, NOW)
    assert.equal(planned.status.summary?.lag, '?')
    assert.equal(planned.status.summary?.behind, '?')
    assert.equal(planned.status.lag?.records, undefined)
    assert.equal(planned.status.lag?.seconds, undefined)
    assert.match(conditionOf(planned, 'LagKnown'), /^False/)
    assert.match(conditionOf(planned, 'CaughtUp'), /^Unknown/)
    assert.deepEqual(
      planned.actions.filter(({ object }) => object.kind === 'Deployment'),
      []
    )
    assert.doesNotMatch(await scraped(source), /^bronze_pipeline_(?:lag_records|behind_seconds)\{/m)
  })
}

for (const [name, source] of cases.filter(([, { lag }]) => lag?.deadLetters === undefined)) {
  test(`${name}: dead letters are not said to be none`, async () => {
    const planned = plan({ ...inPeace(aPipeline()), source }, IMAGE, NOW)
    assert.equal(planned.status.summary?.deadLetters, '?')
    assert.doesNotMatch(await scraped(source), /^bronze_pipeline_dead_letters\{/m)
  })
}

test('a group that could not be asked about has no number of members', async () => {
  assert.doesNotMatch(await scraped(seen(whole)), /^bronze_pipeline_group_members\{/m)
  const group = { state: 'Empty', members: 0, foreignMembers: 0 } as const
  assert.match(
    await scraped({ ...seen(whole), group }),
    /^bronze_pipeline_group_members\{namespace="lake",pipeline="shop",kind="own"\} 0$/m
  )
})

test('figures that are no longer known are no longer told', async () => {
  const metrics = anew()
  metrics.sampled('lake/shop', seen(whole))
  assert.match((await metrics.scrape()).body, /^bronze_pipeline_lag_records\{.*\} 0$/m)
  metrics.sampled('lake/shop', { ...seen(whole), trouble })
  assert.doesNotMatch((await metrics.scrape()).body, /^bronze_pipeline_lag_records\{/m)
})

const anew = () =>
  new OperatorMetrics({ queueKeys: () => 0, isLeader: () => true, watches: () => [], pipelines: () => [] })

async function scraped(source: SourceView): Promise<string> {
  const metrics = anew()
  metrics.sampled('lake/shop', source)
  return (await metrics.scrape()).body
}
