import assert from 'node:assert/strict'
import { RetryableError } from '../../lib/errors.ts'
import { TOPICS, first, offsets, type Law } from './sink-context.ts'

export function unknownOutcomeLaws(law: Law): void {
  for (const fault of ['before', 'after'] as const) {
    law(`a commit whose ${fault === 'after' ? 'answer' : 'request'} is lost is made once`, async context => {
      const process = await context.opened()
      await context.commit(process, [first(0, 3)])
      let left = 1
      process.onOperation(operation => (process.isCommit(operation) && left-- > 0 ? fault : undefined))
      assert.equal((await context.commit(process, [{ from: 3, to: 5 }])).status, 'committed')
      assert.equal((await context.commit(process, [{ from: 5, to: 6 }])).status, 'committed')
      await context.assertRows(offsets(0, 0, 6))
    })

    law(`a commit that nobody can confirm (${fault}) stays unknown until the table is asked`, async context => {
      const process = await context.opened()
      await context.commit(process, [first(0, 3)])
      let isDown = false
      process.onOperation(operation => {
        const isNow = process.isCommit(operation) && !isDown
        if (isNow) isDown = true
        return isNow ? fault : isDown ? 'before' : undefined
      })
      await assert.rejects(context.commit(process, [{ from: 3, to: 5 }]), RetryableError)
      await assert.rejects(process.sink.recover(TOPICS), RetryableError)
      process.onOperation(() => undefined)
      const next = await context.next(process)
      assert.equal(next, fault === 'after' ? 5 : 3)
      await context.assertRows(offsets(0, 0, next))
      assert.equal((await context.commit(process, [{ from: next, to: 7 }])).status, 'committed')
      await context.assertRows(offsets(0, 0, 7))
    })
  }

  law('a commit that takes effect after it was given up never doubles what follows', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 3)])
    let isDown = false
    process.onOperation(operation => {
      const isNow = process.isCommit(operation) && !isDown
      if (isNow) isDown = true
      return isNow ? 'delayed' : isDown ? 'before' : undefined
    })
    await assert.rejects(context.commit(process, [{ from: 3, to: 5 }]), RetryableError)
    process.onOperation(() => undefined)
    assert.equal(await context.next(process), 3)
    const staged = await context.stage(process, [{ from: 3, to: 6 }])
    await process.settle()
    assert.equal((await process.sink.commit([staged])).status, 'fenced')
    assert.equal(await context.next(process), 5)
    await context.assertRows(offsets(0, 0, 5))
  })

  law('a process killed at any step leaves a table that the next one completes', async context => {
    let steps = 0
    let from: number | undefined
    for (let isDone = false; !isDone; steps++) {
      const victim = await context.opened()
      from = await context.next(victim)
      let left = steps
      // Dies in the middle of an operation, which may or may not have taken effect.
      victim.onOperation(() => (left-- > 0 ? undefined : left % 2 === 0 ? 'before' : left === -1 ? 'after' : 'before'))
      const to = (from ?? 0) + 4
      const bad = [(from ?? 0) + 1]
      const part = { from: from ?? 0, to, expected: from, bad }
      isDone = await context.commit(victim, [part]).then(
        () => left >= 0,
        (error: unknown) => {
          assert.ok(error instanceof RetryableError, String(error))
          return false
        }
      )
    }
    assert.ok(steps > 4, 'a commit has several steps')
    const heir = await context.opened()
    const next = (await context.next(heir)) ?? 0
    const bad = offsets(0, 0, next).filter((_, offset) => offset % 4 === 1)
    await context.assertRows(offsets(0, 0, next).filter(row => !bad.includes(row)))
    await context.assertDeadLetters(bad)
  })
}
