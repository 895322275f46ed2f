import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { whileAnswering } from '../../../../../consumer/sinks/snowflake/session/pulse.ts'

const silent = () => new Error('silent')

test('work that takes long goes on while the other side answers', async () => {
  let asked = 0
  const work = Promise.withResolvers<string>()
  const beat = async () => {
    asked++
    // One answer that is missing says nothing.
    if (asked === 2) throw new Error('lost')
    if (asked === 5) work.resolve('done')
  }
  assert.equal(await whileAnswering(work.promise, beat, 5, silent), 'done')
  const then = asked
  await wait(20)
  assert.equal(asked, then)
})

test('work is given up when the other side falls silent, or only fails', async () => {
  const never = new Promise<never>(() => {})
  const beats = [
    () => never,
    async () => {
      throw new Error('lost')
    }
  ]
  for (const beat of beats) await assert.rejects(whileAnswering(never, beat, 5, silent), /silent/)
})

test('what fails fails as it is, and late failures of work that was given up are nobody’s', async () => {
  await assert.rejects(
    whileAnswering(Promise.reject(new Error('refused')), async () => {}, 5, silent),
    /refused/
  )
  const work = Promise.withResolvers<never>()
  const lost = whileAnswering(work.promise, () => Promise.reject(new Error('lost')), 5, silent)
  await assert.rejects(lost, /silent/)
  work.reject(new Error('late'))
  await wait(5)
})
