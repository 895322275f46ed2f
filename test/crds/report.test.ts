import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeReport, encodeReport, type Report } from '../../crds/report.ts'

const REPORT: Report = { committedAtMs: 1, version: '42', recordTimestampMs: 2, deadLetters: 3 }

test('a report comes back as it was, with and without trouble', () => {
  const troubled = { ...REPORT, sinkError: 'S3Unavailable', dataLoss: { kind: 'Truncated', atMs: 9 } }
  const ended = { ...REPORT, end: { offset: 7, timestampMs: 8, atMs: 9 } }
  for (const report of [REPORT, troubled, ended]) assert.deepEqual(decodeReport(encodeReport(report)), report)
})

test('a report stays within 1 KiB whatever it holds', () => {
  const long = encodeReport({ ...REPORT, version: 'v'.repeat(5000), sinkError: 'E'.repeat(5000) })
  assert.ok(Buffer.byteLength(long) <= 1024)
  assert.equal(decodeReport(long)?.deadLetters, 3)
  const end = { offset: 7, atMs: 9 }
  assert.deepEqual(decodeReport(encodeReport({ ...REPORT, version: 'v'.repeat(5000), end }))?.end, end)
})

test('metadata of other tools is nobody’s report', () => {
  for (const metadata of ['', 'hello', '{"bronze":2}', '{"bronze":1,', 'null'])
    assert.equal(decodeReport(metadata), undefined)
})
