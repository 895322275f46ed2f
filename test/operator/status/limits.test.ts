import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { encodeReport } from '../../../crds/report.ts'
import { pipelineSchema } from '../../../crds/schema.ts'
import { plan, type Observed } from '../../../operator/plan.ts'
import { pipelineLag } from '../../../operator/source/lag.ts'
import { aLag, anEntry, aPipeline, IMAGE, inPeace, NOW, observing } from '../given.ts'

const isInt64 = (value: number) => Number.isInteger(value) && Math.abs(value) < 2 ** 63
const formats = { 'date-time': /^\d{4}-/, int32: true, int64: { type: 'number', validate: isInt64 } } as const
const ajv = new Ajv({ strict: false, allErrors: true, formats })
const isStatus = ajv.compile(pipelineSchema.properties?.['status'] ?? {})

/** What a status may hold is limited by the definition: one that holds more is refused, and with it all that it tells. */
function assertAccepted(observed: Observed): void {
  const { status } = plan(observed, IMAGE, NOW)
  const sent: unknown = JSON.parse(JSON.stringify(status))
  assert.ok(isStatus(sent), JSON.stringify(isStatus.errors, ['instancePath', 'message', 'params', 'limit']))
}

const pipeline = aPipeline()
const LONG = 'x'.repeat(100_000)

test('256 topics with long names that do not exist yet fit into the status', () => {
  const entries = Array.from({ length: 256 }, (_, index) => {
    const topic = `${'t'.repeat(240)}-${index}`
    return anEntry({ name: topic, topics: [], missing: topic, partitions: 0, lag: undefined, lastCommit: undefined })
  })
  const lag = aLag({ entries, lag: undefined, partitions: 0 })
  assertAccepted(observing(pipeline, { source: { lag, trouble: undefined } }))
})

test('however long a refusal, a trouble of the source or the name of a stranger is, the status can be written', () => {
  const peace = inPeace()
  assertAccepted({ ...peace, refusal: LONG })
  assertAccepted({ ...peace, source: { lag: undefined, trouble: { reason: 'SourceTrouble', message: LONG } } })
  const foreign = [{ clientId: LONG, host: '10.0.0.1' }]
  const group = { state: 'Stable', members: 3, foreignMembers: 1, foreign } as const
  assertAccepted({ ...peace, source: { lag: aLag(), group, trouble: undefined } })
  assertAccepted({ ...peace, claim: { holder: 'a/b', what: 'table', name: LONG } })
  assertAccepted({ ...peace, parsed: { ok: false, problems: [{ path: 'spec', message: LONG }] } })
})

test('whatever a stranger commits to the group in the form of our reports, the status can be written', () => {
  const report = { committedAtMs: NOW, version: '7', recordTimestampMs: NOW, deadLetters: 1 }
  const loss = { kind: 'LogStart', atMs: NOW }
  const hostile: readonly unknown[] = [
    { at: 1e300 },
    { at: -1e300 },
    { at: 'yesterday' },
    { ver: LONG.slice(0, 500) },
    { ts: 1e300 },
    { dl: -1 },
    { dl: 0.5 },
    { dl: 1e300 },
    { dl: 'many' },
    { err: LONG.slice(0, 600) },
    { loss: null },
    { loss: 7 },
    { loss: { kind: 7, atMs: 'never' } },
    { loss: { kind: loss.kind, atMs: 1e300 } },
    { loss: { kind: '…', atMs: NOW } }
  ]
  for (const change of hostile) {
    const metadata = JSON.stringify({ ...JSON.parse(encodeReport(report)), ...(change as object) })
    const offsets = [{ topic: 'orders', partition: 0, committed: 5, metadata, logStart: 0, lastStable: 7 }]
    const lag = pipelineLag(
      { topics: [{ name: 'orders', table: 'bronze.orders', match: { topic: 'orders' } }] },
      new Map([['orders', ['orders']]]),
      offsets,
      NOW,
      new Map()
    )
    assertAccepted({ ...inPeace(), source: { lag, trouble: undefined } })
  }
})

test('offsets that no log has ever had are left out of the status', () => {
  const huge = 2 ** 63
  const lag = aLag({ lag: huge, deadLetters: huge }, { lag: huge, committed: huge, deadLetters: huge })
  assertAccepted({ ...inPeace(), source: { lag, trouble: undefined } })
})
