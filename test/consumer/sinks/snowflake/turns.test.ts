import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../../../consumer/sinks/snowflake/turns.ts'

test('two go on at once, the rest follow in order, and one that fails frees its turn', async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  const outcomes = gates.map(
    async ({ promise }, index) =>
      await turns.take(async () => {
        begun.push(index)
        await promise
        return index
      })
  )
  const settle = async () => await new Promise(resolve => setImmediate(resolve))
  await settle()
  assert.deepEqual(begun, [0, 1])
  gates[1]?.reject(new Error('no'))
  await assert.rejects(outcomes[1] ?? Promise.resolve(), /no/)
  await settle()
  assert.deepEqual(begun, [0, 1, 2])
  for (const { resolve } of gates) resolve()
  const values = await Promise.all([0, 2, 3, 4].map(async index => await outcomes[index]))
  assert.deepEqual(values, [0, 2, 3, 4])
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
})
