import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SettledPipeline } from '../../crds/settled.ts'
import { entryOf, topicsByEntry } from '../../crds/topics.ts'

const pipeline = (deadLetters: 'Table' | 'Topic') =>
  ({
    topics: [
      { name: 'all', match: { pattern: 'orders.*' } },
      { name: 'eu', match: { topic: 'orders.eu' } },
      { name: 'gone', match: { topic: 'gone' } }
    ],
    deadLetters: { policy: deadLetters, table: 'dlq_{table}', topic: '{topic}.dlq' }
  }) as unknown as SettledPipeline

test('a topic belongs to the entry that names it before any pattern, and a pattern means the whole name', () => {
  assert.equal(entryOf(pipeline('Table'), 'orders.eu')?.name, 'eu')
  assert.equal(entryOf(pipeline('Table'), 'orders.us')?.name, 'all')
  assert.equal(entryOf(pipeline('Table'), 'my.orders.us'), undefined)
})

test('every entry has its list, and a topic that does not exist leaves it empty', () => {
  const found = topicsByEntry(pipeline('Table'), ['orders.eu', 'orders.us', 'orders.us.dlq', 'other'])
  assert.deepEqual(
    [...found],
    [
      ['all', ['orders.us', 'orders.us.dlq']],
      ['eu', ['orders.eu']],
      ['gone', []]
    ]
  )
})

test('a pattern never takes internal topics or those like the dead-letter topics that the pipeline writes', () => {
  const wide = {
    ...pipeline('Topic'),
    topics: [{ name: 'all', match: { pattern: '.*' } }]
  } as unknown as SettledPipeline
  assert.deepEqual(topicsByEntry(wide, ['orders.us', 'orders.us.dlq', '__consumer_offsets', 'dlq']).get('all'), [
    'orders.us',
    'dlq'
  ])
})

test('an entry that names a dead-letter topic reads it', () => {
  const named = {
    ...pipeline('Topic'),
    topics: [{ name: 'again', match: { topic: 'orders.us.dlq' } }]
  } as unknown as SettledPipeline
  assert.deepEqual(topicsByEntry(named, ['orders.us.dlq']).get('again'), ['orders.us.dlq'])
})
