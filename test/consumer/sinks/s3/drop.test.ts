import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropS3Table, listS3Table } from '../../../../consumer/sinks/s3/drop.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { commit } from '../../../conformance/commits.ts'
import { TOPICS, first } from '../../../conformance/sink-context.ts'
import { FaultyStore } from '../../../fakes/faulty-store.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { s3Harness } from '../../../fakes/s3-sink-harness.ts'

const TABLE = 'bronze.orders'

async function filled(layout: string) {
  const store = new MemoryStore()
  const harness = s3Harness(store, { settings: { layout } })
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [first(0, 3, { bad: [1] }), first(0, 2, { partition: 1 })])
  await commit(sink, harness, [{ from: 3, to: 5 }])
  return { store, harness, sink }
}

const reasonOf = (error: unknown): string => (error instanceof FatalError ? error.reason : String(error))
const left = (store: MemoryStore): string[] =>
  [...store.objects.keys()].filter(path => path.startsWith('bronze/orders/'))

for (const layout of ['Partitioned', 'Glob']) {
  for (const fault of ['before', 'after'] as const) {
    test(`${layout}: a drop cut off ${fault} any step leaves a table that is whole, refused or gone`, async () => {
      const states = new Set<string>()
      for (let steps = 0, isDone = false; !isDone; steps++) {
        const { store, harness } = await filled(layout)
        const faulty = new FaultyStore(store)
        let more = steps
        faulty.fault = ({ kind }) => {
          if (kind !== 'delete' && kind !== 'putIfAbsent') return undefined
          more--
          return more >= 0 ? undefined : more === -1 ? fault : 'before'
        }
        isDone = await dropS3Table(faulty, TABLE).then(
          () => true,
          () => false
        )
        const isGone = left(store).length === 0
        const { sink } = harness.process()
        const opened = await sink.open().then(() => 'opened', reasonOf)
        const offset =
          opened === 'opened' ? (await sink.recover(TOPICS)).offsets.get('orders-0')?.nextOffset : undefined
        if (opened === 'opened' && !isGone) assert.equal((await harness.rows()).length, 6)
        states.add(isGone ? `gone, ${opened}, ${offset}` : `${opened}, ${offset}`)
        await dropS3Table(store, TABLE)
        assert.deepEqual(left(store), [])
        const anew = harness.process()
        await anew.sink.open()
        assert.equal((await commit(anew.sink, harness, [first(0, 1)])).status, 'committed')
        assert.deepEqual(await harness.rows(), ['0-0'])
      }
      const whole = fault === 'before' ? ['opened, 5'] : []
      assert.deepEqual([...states], [...whole, 'TableHalfDropped, undefined', 'gone, opened, undefined'])
    })
  }
}

test('a consumer that runs on gets no commit into a table that is being dropped', async () => {
  const { store, harness, sink } = await filled('Partitioned')
  const faulty = new FaultyStore(store)
  let isMarked = false
  faulty.fault = ({ kind }) => {
    if (kind === 'delete' && isMarked) return 'before'
    if (kind === 'delete') isMarked = true
    return undefined
  }
  await assert.rejects(dropS3Table(faulty, TABLE))
  await assert.rejects(commit(sink, harness, [{ from: 5, to: 6 }]), error => reasonOf(error) === 'TableDropped')
  await assert.rejects(sink.recover(TOPICS), error => reasonOf(error) === 'TableHalfDropped')
})

test('a table is told and dropped with all that lies in its folder, its dead-letter table by itself', async () => {
  const { store } = await filled('Glob')
  const bytes = [...store.objects].filter(([path]) => path.startsWith('bronze/orders/'))
  assert.deepEqual(await listS3Table(store, TABLE), {
    objects: bytes.length,
    bytes: bytes.reduce((sum, [, each]) => sum + each.bytes.length, 0)
  })
  assert.equal(await dropS3Table(store, TABLE), 'dropped')
  assert.equal(await dropS3Table(store, TABLE), 'absent')
  assert.ok((await listS3Table(store, 'bronze.dlq_orders')) !== undefined)
  assert.equal(await dropS3Table(store, 'bronze.dlq_orders'), 'dropped')
  assert.deepEqual([...store.objects.keys()], [])
})

test('a folder that is no table of ours, and one with another table inside, stay as they are', async () => {
  const foreign = new MemoryStore()
  await foreign.put('bronze/orders/mine.parquet', [])
  assert.equal(await dropS3Table(foreign, TABLE), 'absent')
  assert.equal(foreign.objects.size, 1)
  for (const inner of [
    'x/_delta_log/0.json',
    'x/metadata/a.metadata.json',
    'x/_bronze/table/9007199254740991-0.json'
  ]) {
    const { store } = await filled('Partitioned')
    await store.put(`bronze/orders/${inner}`, [])
    const before = store.objects.size
    await assert.rejects(dropS3Table(store, TABLE), error => reasonOf(error) === 'TableInside')
    assert.equal(store.objects.size, before)
  }
})
