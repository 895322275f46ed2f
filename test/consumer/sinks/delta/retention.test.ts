import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkpointInterval, intervalMs } from '../../../../consumer/sinks/delta/retention.ts'

test('intervals as Delta writes them, and nothing when they have no fixed length', () => {
  const cases: readonly [string, number | undefined][] = [
    ['interval 1 week', 604_800_000],
    ['INTERVAL 36 HOURS', 129_600_000],
    ['interval 1 day 2 hours 3 seconds', 93_603_000],
    ['7 days', 604_800_000],
    ['interval 1 month', undefined],
    ['interval', undefined],
    ['', undefined]
  ]
  for (const [text, expected] of cases) assert.equal(intervalMs(text), expected, text)
})

test('checkpoints become rarer as the table grows, never rarer than each 100 commits, and a table may say otherwise', () => {
  const metadata = (configuration = {}) => ({
    id: '',
    format: { provider: 'parquet' },
    schemaString: '',
    partitionColumns: [],
    configuration
  })
  assert.deepEqual(
    [10, 999, 1_000, 10_000, 10_000_000].map(version => checkpointInterval(version, metadata())),
    [10, 10, 50, 100, 100]
  )
  assert.equal(checkpointInterval(5_000, metadata({ 'delta.checkpointInterval': '3' })), 3)
})
