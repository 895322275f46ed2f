import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readState } from '../../../../consumer/sinks/iceberg/offsets.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { KEY, Lineage } from './lineage.ts'

/** What is held, or the reason why nobody knows. */
type Expected = number | 'none' | 'RolledBack' | 'OffsetsUnreadable'

const CASES: Readonly<Record<string, readonly [Expected, (table: Lineage) => void]>> = {
  'a table that we never wrote to': ['none', table => table.others('append')],
  'an empty table': ['none', () => {}],
  'our own commits': [20, table => (table.ours(10), table.ours(20))],
  'appends, deletes and compactions of others after ours': [
    10,
    table => (table.ours(10), table.others('append'), table.others('delete'), table.others('replace'))
  ],
  'a compaction prepared before and committed after our commit': [
    20,
    // Its parent is the end of main at its commit, whatever it read.
    table => (table.ours(10), table.ours(20), table.others('replace'))
  ],
  'a rollback to an older commit of ours': [
    10,
    table => {
      const first = table.ours(10)
      table.ours(20)
      table.set(first)
    }
  ],
  'a rollback, with what came later expired since': [
    10,
    table => {
      const first = table.ours(10)
      table.expire(table.ours(20))
      table.set(first)
    }
  ],
  'a rollback to a commit of others above one of ours': [
    10,
    table => {
      table.ours(10)
      const foreign = table.others('append')
      table.ours(20)
      table.set(foreign)
      table.others('append')
    }
  ],
  'a branch of before our last commit in the place of main': [
    10,
    table => {
      const first = table.ours(10)
      table.ours(20)
      const last = table.head
      table.set(first)
      table.others('append')
      table.set(table.head, 'audit')
      table.set(last)
      table.set(Number(table.json.refs['audit']?.['snapshot-id']))
    }
  ],
  'a rollback to before our first commit': [
    'RolledBack',
    table => {
      const foreign = table.others('append')
      table.ours(10)
      table.set(foreign)
    }
  ],
  'the same, and a new commit of others, and ours expired': [
    'RolledBack',
    table => {
      const foreign = table.others('append')
      const ours = table.ours(10)
      table.set(foreign)
      table.others('append')
      table.expire(ours)
    }
  ],
  'the same, and what others wrote before ours expired too': [
    'RolledBack',
    table => {
      table.others('append')
      const foreign = table.others('append')
      const ours = table.ours(10)
      table.set(foreign)
      table.others('append')
      table.expire(1, ours)
    }
  ],
  'a rollback to a snapshot whose ancestors expired, ours expired as well': [
    'RolledBack',
    table => {
      table.others('append')
      const foreign = table.others('append')
      const ours = table.ours(10)
      table.set(foreign)
      table.expire(1, ours)
    }
  ],
  'a table that was replaced by a new one under its name and UUID': [
    'RolledBack',
    table => {
      table.ours(10)
      table.json['current-snapshot-id'] = -1
      table.json.refs = {}
      table.others('append')
    }
  ],
  'a table that was replaced by an empty one': [
    'RolledBack',
    table => {
      table.ours(10)
      table.json['current-snapshot-id'] = -1
      table.json.refs = {}
    }
  ],
  'all of ours expired, a newer one of others stays': [
    20,
    table => {
      const ids = [table.ours(10), table.ours(20)]
      table.others('append')
      table.expire(...ids)
    }
  ],
  'ours expired, two of others stay, the older the child of ours': [
    20,
    table => {
      const ours = table.ours(20)
      table.others('append')
      table.others('replace')
      table.expire(ours)
    }
  ],
  'ours off main though others came since': [
    'RolledBack',
    table => {
      const foreign = table.others('append')
      table.ours(20)
      table.set(foreign)
      table.others('append')
      table.others('append')
    }
  ],
  'a cherry-pick of our commit after a rollback': [
    'RolledBack',
    table => {
      const first = table.ours(10)
      const second = table.ours(20)
      table.set(first)
      table.others('append', { 'source-snapshot-id': String(second) })
    }
  ],
  'a cherry-pick of what others staged': [
    20,
    table => {
      table.ours(10)
      const staged = table.stage('append', { 'wap.id': 'w' })
      table.ours(20)
      table.others('append', { 'source-snapshot-id': String(staged), 'published-wap-id': 'w' })
    }
  ],
  'what others staged and never published': [
    10,
    table => (table.ours(10), void table.stage('append', { 'wap.id': 'w' }))
  ],
  'what others staged on top of ours and published at once': [
    10,
    table => {
      table.ours(10)
      table.set(table.stage('append', { 'wap.id': 'w' }))
    }
  ],
  'a catalog that keeps no summaries': [
    20,
    table => {
      table.ours(20)
      table.json.snapshots = table.json.snapshots.map(each => ({ ...each, summary: { operation: 'append' } }))
      table.others('append')
    }
  ],
  'a table that was dropped and created anew': [
    'none',
    table => {
      table.ours(10)
      table.json['table-uuid'] = '5c0c4ae4-0000-4000-8000-000000000002'
      table.json.snapshots = []
      table.json.refs = {}
      table.json['current-snapshot-id'] = -1
    }
  ],
  'offsets that somebody edited': ['OffsetsUnreadable', table => table.ours(10, { 'bronze.offsets': 'orders=1' })],
  'a property that somebody edited': [
    'OffsetsUnreadable',
    table => {
      const ours = table.ours(10)
      table.others('append')
      table.expire(ours)
      table.json.properties['bronze.state'] = '{}'
    }
  ],
  'somebody removed the property after a rollback to before our first commit': [
    'none',
    table => {
      const foreign = table.others('append')
      table.ours(10)
      table.set(foreign)
      delete table.json.properties['bronze.state']
    }
  ]
}

for (const [name, [expected, happen]] of Object.entries(CASES)) {
  test(`${name}: ${expected}`, () => {
    const table = new Lineage()
    happen(table)
    let held: unknown
    try {
      const { state, from } = readState(table.metadata, 'db.t')
      held = from === 'none' ? from : state.offsets.get(KEY)
    } catch (error) {
      assert.ok(error instanceof FatalError)
      assert.match(error.message, /db\.t/)
      held = error.reason
    }
    assert.equal(held, expected)
  })
}

test('the message after a rollback names the snapshot to go back to, while it is there', () => {
  const table = new Lineage()
  const foreign = table.others('append')
  table.ours(10)
  table.set(foreign)
  assert.throws(() => readState(table.metadata, 'db.t'), /current snapshot to 2, or remove the table property/)
  table.expire(2)
  assert.throws(() => readState(table.metadata, 'db.t'), /offsets\. Remove the table property bronze\.state/)
})
