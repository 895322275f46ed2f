import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropTable, listTable } from '../../../../consumer/sinks/delta/drop.ts'
import { entryPath } from '../../../../consumer/sinks/delta/log.ts'
import { under } from '../../../../consumer/store/under.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { commit } from '../../../conformance/commits.ts'
import { deltaHarness } from '../../../fakes/delta-harness.ts'
import { FaultyStore } from '../../../fakes/faulty-store.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

const NOW_MS = 1_700_000_000_000
const TABLE = 'bronze/orders/'

/** A table of three commits beside its dead-letter table. */
async function given() {
  const store = new MemoryStore()
  const harness = deltaHarness(store)
  const { sink } = harness.process()
  await sink.open()
  for (const from of [0, 10, 20]) {
    const expected = from === 0 ? undefined : from
    await commit(sink, harness, [{ from, to: from + 10, expected }])
  }
  return {
    store,
    harness,
    table: under(store, TABLE),
    objectsIn: () => [...store.objects.keys()].filter(path => path.startsWith(TABLE))
  }
}

const saysHowToGoOn = (error: unknown) => error instanceof FatalError && /run bronze clean again/i.test(error.message)

test('a dropped table leaves nothing, and the tables beside it alone', async () => {
  const { store, harness, table, objectsIn } = await given()
  const { paths, bytes, latestVersion } = await listTable(table)
  assert.equal(paths.length, objectsIn().length)
  assert.ok(bytes > 0)
  assert.equal(latestVersion, 3)
  const beside = store.objects.size - objectsIn().length
  assert.equal(await dropTable(table, NOW_MS), 'dropped')
  assert.deepEqual(objectsIn(), [])
  assert.equal(store.objects.size, beside)
  assert.equal(await dropTable(table, NOW_MS), 'absent')
  const { sink } = harness.process()
  await sink.open()
  assert.deepEqual([...(await sink.recover(['orders'])).offsets], [], 'the next consumer begins anew')
})

test('wherever a drop is cut off, the table is whole or refused, and the next drop ends it', async () => {
  const { objectsIn } = await given()
  for (let survived = 0; survived <= objectsIn().length + 1; survived++) {
    const { store, harness, objectsIn } = await given()
    const faulty = new FaultyStore(under(store, TABLE))
    let changes = 0
    faulty.fault = ({ kind }) =>
      (kind === 'delete' || kind === 'putIfAbsent') && changes++ >= survived ? 'before' : undefined
    await assert.rejects(dropTable(faulty, NOW_MS), RetryableError)
    const { sink } = harness.process()
    if (survived === 0) assert.equal((await harness.rows()).length, 30)
    else await assert.rejects(sink.open(), saysHowToGoOn, `after ${survived} changes`)
    assert.ok(objectsIn().length > 0)
    assert.equal(await dropTable(under(store, TABLE), NOW_MS), 'dropped')
    assert.deepEqual(objectsIn(), [])
  }
})

test('a drop whose answer is lost, and one beside another, end in the same', async () => {
  const { store, objectsIn } = await given()
  const faulty = new FaultyStore(under(store, TABLE))
  faulty.fault = ({ kind }) => (kind === 'putIfAbsent' ? 'after' : undefined)
  await assert.rejects(dropTable(faulty, NOW_MS), RetryableError)
  const outcomes = await Promise.all([dropTable(under(store, TABLE), NOW_MS), dropTable(under(store, TABLE), NOW_MS)])
  assert.ok(outcomes.includes('dropped'))
  assert.deepEqual(objectsIn(), [])
})

test('a commit that comes between goes with the table', async () => {
  const { store, table, objectsIn } = await given()
  const faulty = new FaultyStore(table)
  let isFirst = true
  faulty.fault = ({ kind }) => {
    if (kind === 'putIfAbsent' && isFirst) {
      isFirst = false
      store.objects.set(`${TABLE}${entryPath(4)}`, { bytes: Buffer.from('{"commitInfo":{}}\n'), modifiedMs: 0 })
    }
    return undefined
  }
  assert.equal(await dropTable(faulty, NOW_MS), 'dropped')
  assert.deepEqual(objectsIn(), [])
})

test('a table with another inside is not dropped', async () => {
  const { store, table, objectsIn } = await given()
  await store.put(`${TABLE}inner/_delta_log/00000000000000000000.json`, [Buffer.from('{}')])
  const before = objectsIn().length
  await assert.rejects(dropTable(table, NOW_MS), { reason: 'TableInside', message: /inner\/_delta_log/ })
  assert.equal(objectsIn().length, before)
})

test('a folder without a log is no table, and stays', async () => {
  const store = new MemoryStore()
  await store.put(`${TABLE}photo.jpg`, [Buffer.from('x')])
  assert.equal(await dropTable(under(store, TABLE), NOW_MS), 'absent')
  assert.equal(store.objects.size, 1)
})
