import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLog } from '../../lib/log.ts'

test('a line is one JSON object with the fields of its log, and causes in its error', () => {
  const lines: string[] = []
  const log = jsonLog(
    line => lines.push(line),
    'info',
    () => 0,
    { pipeline: 'taxi' }
  ).with({ table: 'trips' })
  log.debug('too quiet')
  log.warn('slow', { waitMs: 5 }, new Error('outer', { cause: new Error('inner') }))
  assert.deepEqual(
    lines.map(line => JSON.parse(line)),
    [
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'warn',
        message: 'slow',
        pipeline: 'taxi',
        table: 'trips',
        waitMs: 5,
        error: 'outer (inner)'
      }
    ]
  )
})
