import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BronzePipelineStatus } from '../../../crds/pipeline.ts'
import { plan } from '../../../operator/plan.ts'
import { writeAfterMs } from '../../../operator/status/status.ts'
import { aLag, anEntry, aPipeline, IMAGE, inPeace, NOW } from '../given.ts'

const peace = inPeace()
const statusWith = (lag: Parameters<typeof aLag>[0], entry: Parameters<typeof aLag>[1] = lag) =>
  plan({ ...peace, source: { lag: aLag(lag, entry), trouble: undefined } }, IMAGE, NOW).status
const quiet = statusWith({})
/** As the API server gives it back. */
const stored = (status: BronzePipelineStatus) => JSON.parse(JSON.stringify(status)) as BronzePipelineStatus

test('a status that tells the same is not written, however long ago', () => {
  assert.equal(writeAfterMs(stored(quiet), quiet, undefined, NOW), undefined)
})

test('a condition that flips is written at once', () => {
  const behind = statusWith({ lag: 500, behindSeconds: 300 })
  assert.equal(writeAfterMs(quiet, behind, NOW - 1, NOW), 0)
})

test('a figure that moved waits until 30 s after the last write', () => {
  const moved = statusWith({ lag: 500, behindSeconds: 3 })
  assert.equal(writeAfterMs(quiet, moved, NOW - 10_000, NOW), 20_000)
  assert.equal(writeAfterMs(quiet, moved, NOW - 40_000, NOW), 0)
  assert.equal(writeAfterMs(quiet, moved, undefined, NOW), 0)
})

test('a figure that rounds to the same is no reason to write', () => {
  const [a, b] = [statusWith({ lag: 123_456, behindSeconds: 31 }), statusWith({ lag: 123_457, behindSeconds: 31.2 })]
  assert.equal(writeAfterMs(a, b, NOW - 40_000, NOW), 560_000)
})

test('offsets of a pipeline that keeps up are brought up to date every ten minutes', () => {
  const moved = statusWith({}, { committed: 11 })
  assert.equal(writeAfterMs(quiet, moved, NOW - 60_000, NOW), 540_000)
  assert.equal(writeAfterMs(quiet, moved, NOW - 600_000, NOW), 0)
})

test('the columns of kubectl show short figures', () => {
  const { summary } = statusWith({ lag: 12_345, behindSeconds: 200, deadLetters: 1200 })
  assert.deepEqual(summary, {
    topics: '1',
    sink: 'delta',
    pods: '3/3',
    lag: '12k',
    behind: '3m20s',
    deadLetters: '1.2k'
  })
})

test('fifty entries are shown, those furthest behind, and the rest is counted', () => {
  const entries = Array.from({ length: 60 }, (_, index) => anEntry({ name: `t${index}`, lag: index }))
  const { topics, topicsOmitted } = statusWith({ entries, lag: 1770 })
  assert.equal(topics?.length, 50)
  assert.equal(topics?.[0]?.name, 't10')
  assert.equal(topicsOmitted, 10)
})

test('the newest commit of any table is named', () => {
  const entries = [
    anEntry({ table: 'a', lastCommit: { atMs: NOW - 9000, version: '90' } }),
    anEntry({ name: 'b', table: 'b', lastCommit: { atMs: NOW - 1000, version: '3' } })
  ]
  assert.deepEqual(statusWith({ entries }).lastCommit, { time: '2026-06-01T11:59:59Z', table: 'b', version: '3' })
})

test('a condition keeps its date while its status stays', () => {
  const later = plan({ ...peace, pipeline: { ...peace.pipeline, status: quiet } }, IMAGE, NOW + 60_000).status
  assert.deepEqual(later.conditions, quiet.conditions)
})

test('the selector of the scale subresource is that of the pods', () => {
  assert.equal(quiet.selector, 'app.kubernetes.io/name=bronze-consumer,bronze.dev/pipeline=shop')
  assert.equal(quiet.replicas, 3)
  assert.equal(quiet.observedGeneration, aPipeline().metadata.generation)
})

test('a lag of which nothing is known is left out, for server-side apply would make null of an empty one', () => {
  const status = statusWith({ lag: undefined, behindSeconds: undefined })
  assert.equal('lag' in status, false)
  assert.equal(status.summary?.lag, '?')
})
