import assert from 'node:assert/strict'
import type { TablePlan } from '../../consumer/columns/bronze.ts'
import { FatalError } from '../../lib/errors.ts'
import { first, offsets, type Law } from './sink-context.ts'

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
}
