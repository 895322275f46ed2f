import assert from 'node:assert/strict'
import type { TablePlan } from '../../consumer/columns/bronze.ts'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import { batchOf } from './batches.ts'
import { TOPICS, first, offsets, type Law } from './sink-context.ts'

export function schemaLaws(law: Law): void {
  law('a column that is added later is there, and old rows and offsets stay', async context => {
    const { widerPlan } = context.harness
    const before = await context.opened()
    await context.commit(before, [first(0, 3)])
    const processes = await Promise.all([1, 2, 3].map(async () => await context.opened({ plan: widerPlan })))
    const [after] = processes
    assert.ok(after)
    assert.equal((await context.commit(after, [{ from: 3, to: 5 }], widerPlan)).status, 'committed')
    // A consumer of the older configuration still runs beside it.
    assert.equal(await context.next(before), 5)
    assert.equal((await context.commit(before, [{ from: 5, to: 6 }])).status, 'committed')
    await context.assertRows(offsets(0, 0, 6))
  })

  law('a table whose columns have other types is refused with the remedy', async context => {
    await context.opened()
    const fields = context.plan.schema.fields.map(field =>
      field.name === 'id' ? { ...field, type: 'string' as const } : field
    )
    const other: TablePlan = { ...context.plan, schema: { ...context.plan.schema, fields } }
    await assert.rejects(context.opened({ plan: other }), (error: unknown) => {
      assert.ok(error instanceof FatalError)
      assert.equal(error.reason, 'IncompatibleTable')
      return true
    })
  })

  law('the columns of the table are told with its offsets', async context => {
    const process = await context.opened()
    const { columns } = await process.sink.recover(TOPICS)
    assert.deepEqual(
      columns.map(({ name }) => name),
      context.plan.schema.fields.map(({ name }) => name)
    )
    assert.equal(columns.find(({ name }) => name === 'id')?.type, 'long')
  })

  law('rows with and without a column that has just come are one commit', async context => {
    const { widerPlan } = context.harness
    const process = await context.opened()
    const [narrow] = batchOf(context.plan, [first(0, 3)]).parts
    const { parts, ...batch } = batchOf(widerPlan, [first(0, 2, { partition: 1 })])
    assert.ok(narrow)
    const staged = await process.sink.stage({ ...batch, parts: [narrow, ...parts] })
    assert.equal((await process.sink.commit([staged])).status, 'committed')
    await context.assertRows(offsets(0, 0, 3), offsets(1, 0, 2))
    const { columns } = await process.sink.recover(TOPICS)
    assert.equal(columns.find(({ name }) => name === 'note')?.type, 'string')
    // Rows of before the column came: another consumer may not have seen it yet.
    assert.equal((await context.commit(await context.opened(), [{ from: 3, to: 4 }])).status, 'committed')
  })

  law('processes that see a new column at once add it once', async context => {
    const { widerPlan } = context.harness
    const processes = await Promise.all(Array.from({ length: 4 }, async () => await context.opened()))
    const outcomes = await Promise.all(
      processes.map(
        async (process, partition) => await context.commit(process, [first(0, 2, { partition })], widerPlan)
      )
    )
    assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['committed']))
    const [process] = processes
    const columns = (await process?.sink.recover(TOPICS))?.columns ?? []
    assert.deepEqual(
      columns.map(({ name }) => name),
      widerPlan.schema.fields.map(({ name }) => name)
    )
    await context.assertRows(...processes.map((_, partition) => offsets(partition, 0, 2)))
  })

  law('a column that another process has made otherwise sends us home, and nothing is written', async context => {
    const { widerPlan } = context.harness
    const fields = widerPlan.schema.fields.map(field =>
      field.name === 'note' ? { ...field, type: 'long' as const } : field
    )
    const otherwise: TablePlan = { ...widerPlan, schema: { ...widerPlan.schema, fields } }
    const [one, two] = [await context.opened(), await context.opened()]
    await context.commit(one, [first(0, 3)], widerPlan)
    await assert.rejects(context.commit(two, [first(0, 4, { partition: 1 })], otherwise), (error: unknown) => {
      assert.ok(error instanceof RetryableError, String(error))
      assert.equal(error.code, 'SchemaMoved')
      return true
    })
    await context.assertRows(offsets(0, 0, 3))
    assert.equal(await context.next(two, 1), undefined)
    assert.equal((await context.commit(two, [first(0, 4, { partition: 1 })])).status, 'committed')
  })
}
