import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch } from '../../../../consumer/batch.ts'
import { planTables } from '../../../../consumer/columns/bronze.ts'
import { RowGroupBuffer } from '../../../../consumer/columns/row-group.ts'
import type { ColumnType, Field } from '../../../../consumer/columns/schema.ts'
import { TableColumns } from '../../../../consumer/columns/table-columns.ts'
import { openDeltaSink } from '../../../../consumer/sinks/delta/sink.ts'
import { silentLog } from '../../../../lib/log.ts'
import { hastyClock } from '../../../fakes/delta-harness.ts'
import { readDeltaRows } from '../../../fakes/delta-reader.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { pipelineOf } from '../../../fakes/pipelines.ts'

const SPEC = `sink: {delta: {location: "file:///lake", partitionBy: None}}
topics: [{name: orders, table: bronze.orders, format: Json, schema: {mode: Inferred}}]`

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })

/** A table in memory and consumers that write rows of whatever fields. */
class World {
  readonly store = new MemoryStore()
  #commits = 0

  async pod(partition: number) {
    const pipeline = pipelineOf(SPEC)
    const [plan] = planTables(pipeline)
    assert.ok(plan !== undefined)
    const author = { pipeline: 'lake/shop', createdAt: undefined, consumerId: `pod-${partition}` }
    const sink = openDeltaSink({ plan, pipeline, store: this.store, clock: hastyClock, log: silentLog, author })
    await sink.open()
    const columns = new TableColumns(plan)
    const recover = async () => {
      const recovered = await sink.recover(['orders'])
      columns.recovered(recovered.columns)
      return recovered.offsets.get(`orders-${partition}`)?.nextOffset
    }
    let expectedOffset = await recover()
    const batch = (rows: readonly { readonly fields: readonly Field[]; readonly row: object }[]): Batch => {
      const groups = rows.map(({ fields, row }) => {
        const bound = columns.bind(fields, 'NewColumn')
        const moved = bound.bindings.map(({ source, target }) => [target, (row as Record<string, unknown>)[source]])
        const group = new RowGroupBuffer(columns.schema)
        group.appendRow({ _kafka_partition: partition, ...Object.fromEntries(moved) })
        return group
      })
      const part = { partition: { topic: 'orders', topicId: 'id', partition }, epoch: 0, deadLetters: undefined }
      const nextOffset = (expectedOffset ?? 0) + rows.length
      const commitId = `commit-${this.#commits++}`
      return { commitId, takenAtMs: hastyClock.now(), parts: [{ ...part, expectedOffset, nextOffset, rows: groups }] }
    }
    const write = async (rows: Parameters<typeof batch>[0]) => {
      const taken = batch(rows)
      const outcome = await sink.commit([await sink.stage(taken)])
      assert.equal(outcome.status, 'committed')
      expectedOffset = taken.parts[0]?.nextOffset
    }
    return { sink, write, recover }
  }

  async rows() {
    return (await readDeltaRows(this.store, 'bronze/orders')).rows
  }

  async entries(key: 'metaData' | 'protocol'): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = []
    for (let version = 0; ; version++) {
      const path = `bronze/orders/_delta_log/${String(version).padStart(20, '0')}.json`
      const entry = await this.store.get(path)
      if (entry === undefined) return found
      for (const line of entry.toString().trim().split('\n')) {
        const action = (JSON.parse(line) as Record<string, Record<string, unknown> | undefined>)[key]
        if (action !== undefined) found.push(action)
      }
    }
  }

  async columns(): Promise<readonly (readonly unknown[])[]> {
    const { schemaString } = (await this.entries('metaData')).at(-1) ?? {}
    const { fields } = JSON.parse(String(schemaString)) as { fields: readonly { name: string; type: unknown }[] }
    return fields.filter(({ name }) => !name.startsWith('_')).map(({ name, type }) => [name, type])
  }
}

test('consumers that see the same new field at once add one column', async () => {
  const world = new World()
  const pods = await Promise.all([0, 1, 2, 3].map(async partition => await world.pod(partition)))
  const rows = [{ fields: [field('amount', 'long'), field('note', 'string')], row: { amount: 5, note: 'n' } }]
  await Promise.all(pods.map(async pod => await pod.write(rows)))
  assert.deepEqual(await world.columns(), [
    ['amount', 'long'],
    ['note', 'string']
  ])
  assert.equal((await world.entries('metaData')).length, 2)
  assert.deepEqual(
    (await world.rows()).map(({ amount }) => amount),
    [5, 5, 5, 5]
  )
})

test('who comes second with another type is told that the schema moved, and after recovery has a column of its own', async () => {
  const world = new World()
  const [first, second] = [await world.pod(0), await world.pod(1)]
  const text = [{ fields: [field('amount', 'string')], row: { amount: 'five' } }]
  await first.write([{ fields: [field('amount', 'long')], row: { amount: 5 } }])
  await assert.rejects(second.write(text), { name: 'RetryableError', code: 'SchemaMoved' })
  assert.equal((await world.rows()).length, 1)
  await second.recover()
  await second.write(text)
  assert.deepEqual(await world.columns(), [
    ['amount', 'long'],
    ['amount_string', 'string']
  ])
  assert.deepEqual(
    (await world.rows()).map(({ amount, amount_string: other }) => [amount ?? null, other ?? null]),
    [
      [5, null],
      [null, 'five']
    ]
  )
})

test('rows of several schemas are several files of one commit; times without zone bring their feature with them', async () => {
  const world = new World()
  const pod = await world.pod(0)
  const nested = (type: ColumnType) => field('place', { struct: [field('x', type)] })
  await pod.write([
    { fields: [nested('double')], row: { place: { x: 1.5 } } },
    { fields: [nested('double'), field('at', 'timestampNtz')], row: { place: { x: 2.5 }, at: 1_700_000_000_000_000 } }
  ])
  const { files, version } = await readDeltaRows(world.store, 'bronze/orders')
  assert.deepEqual([files.length, version], [2, 1])
  assert.deepEqual((await world.entries('protocol')).at(-1), {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['appendOnly', 'invariants', 'timestampNtz']
  })
  for (let commit = 0; commit < 12; commit++) await pod.write([{ fields: [nested('double')], row: { place: null } }])
  await pod.sink.close()
  // From the checkpoint.
  const { columns } = await (await world.pod(1)).sink.recover(['orders'])
  assert.deepEqual(
    columns.filter(({ name }) => !name.startsWith('_')),
    [nested('double'), field('at', 'timestampNtz')]
  )
  assert.equal((await world.entries('metaData')).length, 2)
})
