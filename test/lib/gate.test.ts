import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atOnce } from '../../lib/at-once.ts'
import { Gate } from '../../lib/gate.ts'

const turn = async () => await new Promise(resume => setImmediate(resume))

for (const [name, all] of [
  [
    'a gate',
    async (work: (item: number) => Promise<number>) => {
      const gate = new Gate(3)
      return await Promise.all(
        Array.from({ length: 10 }, async (_, item) => await gate.run(async () => await work(item)))
      )
    }
  ],
  [
    'work at once',
    async (work: (item: number) => Promise<number>) =>
      await atOnce(
        3,
        Array.from({ length: 10 }, (_, item) => item),
        work
      )
  ]
] as const) {
  test(`${name} has as much under way as it may, and gives results in order`, async () => {
    let [now, most] = [0, 0]
    const results = await all(async item => {
      most = Math.max(most, ++now)
      for (let turns = item % 4; turns >= 0; turns--) await turn()
      now--
      return item
    })
    assert.equal(most, 3)
    assert.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
}

test('those who wait at a gate get through in the order in which they came', async () => {
  const gate = new Gate(1)
  const begun: number[] = []
  const work = [3, 0, 2, 1].map(async (turns, item) => {
    await gate.run(async () => {
      begun.push(item)
      for (let left = turns; left > 0; left--) await turn()
    })
  })
  await Promise.all(work)
  assert.deepEqual(begun, [0, 1, 2, 3])
})

test('a gate lets the next through when work fails', async () => {
  const gate = new Gate(1)
  const failing = gate.run(async () => await Promise.reject(new RangeError('no')))
  const next = gate.run(async () => 'through')
  await assert.rejects(failing, RangeError)
  assert.equal(await next, 'through')
})

test('after a failure nothing more is begun, and the end of what is under way is awaited', async () => {
  const begun: number[] = []
  let ended = 0
  const work = async (item: number) => {
    begun.push(item)
    await turn()
    if (item === 1) throw new RangeError('one')
    await turn()
    ended++
  }
  await assert.rejects(atOnce(2, [0, 1, 2, 3, 4], work), RangeError)
  assert.deepEqual(begun, [0, 1])
  assert.equal(ended, 1)
})
