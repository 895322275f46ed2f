import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropTable } from '../../../consumer/sinks/delta/drop.ts'
import { under } from '../../../consumer/store/under.ts'
import { FaultyStore } from '../../fakes/faulty-store.ts'
import { need } from '../../servers/need.ts'
import { commit } from '../../conformance/commits.ts'
import { openLake } from './foreign-engine.ts'

const NOW_MS = Date.UTC(2026, 10, 21)

test(
  'delta-rs refuses a table whose drop was cut off, at every point, and finds none when it is ended',
  need('s3', 'readers'),
  async () => {
    const lake = await openLake()
    const { sink } = lake.harness.process()
    await sink.open()
    for (const from of [0, 10]) {
      const expected = from === 0 ? undefined : from
      await commit(sink, lake.harness, [{ from, to: from + 10, expected }], NOW_MS)
    }
    await sink.close()
    assert.equal((await lake.foreign('read', 'bronze/orders')).rows, 20)
    const table = new FaultyStore(under(lake.store, 'bronze/orders/'))
    // The commit that marks it; then one of two data files, then one of four entries.
    for (const changes of [1, 1, 2]) {
      let left = changes
      table.fault = ({ kind }) =>
        kind === 'putIfAbsent' || kind === 'delete' ? (left-- > 0 ? undefined : 'before') : undefined
      await assert.rejects(dropTable(table, NOW_MS), { code: 'StoreFault' })
      await assert.rejects(lake.foreign('read', 'bronze/orders'))
    }
    table.fault = () => undefined
    assert.equal(await dropTable(table, NOW_MS), 'dropped')
    for await (const { path } of lake.store.list('bronze/orders/')) assert.fail(`${path} is left`)
    await assert.rejects(lake.foreign('read', 'bronze/orders'), /TableNotFound|not found|No files|Not a Delta table/i)
  }
)
