import assert from 'node:assert/strict'
import { RetryableError } from '../../lib/errors.ts'
import { TOPICS, first, offsets, type Law } from './sink-context.ts'

export function deadLetterLaws(law: Law): void {
  law('dead letters are published once, beside the rows they came with', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 6, { bad: [1, 4] }), first(0, 2, { partition: 1, bad: [0, 1] })])
    await context.commit(process, [{ from: 6, to: 8, bad: [7] }])
    await process.sink.recover(TOPICS)
    await (await context.opened()).sink.recover(TOPICS)
    await context.assertRows(['0-0', '0-2', '0-3', '0-5', '0-6'])
    await context.assertDeadLetters(['0-1', '0-4', '1-0', '1-1', '0-7'])
  })

  law(
    'a crash before dead letters are out, then a decoder that judges otherwise: each record is in one table',
    async context => {
      const victim = await context.opened()
      await context.commit(victim, [first(0, 2)])
      await context.commitAndDie(victim, { from: 2, to: 5, bad: [3] })
      const heir = await context.opened()
      const from = (await context.next(heir)) ?? 0
      assert.equal(from, 5)
      await context.assertDeadLetters(['0-3'])
      // What it would call bad now is of no matter for what is decided.
      await context.commit(heir, [{ from, to: 9, bad: [5, 8] }])
      await context.assertRows(['0-0', '0-1', '0-2', '0-4', '0-6', '0-7'])
      await context.assertDeadLetters(['0-3', '0-5', '0-8'])
    }
  )

  law('dead letters of a commit that never was are in no table', async context => {
    const victim = await context.opened()
    victim.onOperation(operation => (victim.isCommit(operation) ? 'before' : undefined))
    await assert.rejects(context.commit(victim, [first(0, 3, { bad: [1] })]), RetryableError)
    const heir = await context.opened()
    assert.equal(await context.next(heir), undefined)
    await context.commit(heir, [first(0, 3)])
    await context.assertRows(offsets(0, 0, 3))
    await context.assertDeadLetters([])
  })

  law('many processes that find unpublished dead letters publish them once', async context => {
    const victim = await context.opened()
    await context.commitAndDie(victim, first(0, 3, { bad: [1] }))
    const heirs = await Promise.all(Array.from({ length: 4 }, async () => await context.opened()))
    await Promise.all(heirs.map(async ({ sink }) => await sink.recover(TOPICS)))
    victim.onOperation(() => undefined)
    await victim.sink.recover(TOPICS)
    await context.assertDeadLetters(['0-1'])
  })
}
