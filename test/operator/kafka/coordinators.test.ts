import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Coordinators, type Told } from '../../../operator/kafka/coordinators.ts'
import type { Broker } from '../../../operator/kafka/internals.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

/** Brokers that coordinate groups: `shop-2` is on broker 2. */
function given(answer: (nodeId: number, groupIds: readonly string[]) => Promise<ReadonlyMap<string, Told<string>>>) {
  const clock = new ManualClock(0)
  const found: (readonly string[])[] = []
  const asked: string[] = []
  const moved = new Map<string, number>()
  const nodeOf = (groupId: string) => moved.get(groupId) ?? Number(groupId.at(-1))
  const versions = { 10: { maxVersion: 6 } }
  const finder = {
    versions,
    connectionPool: {
      send: async ({ request }: { request: { encode: () => Promise<{ buffer: Buffer }> } }) => {
        const text = (await request.encode()).buffer.toString('latin1')
        const groupIds = text.match(/\w+-\d/g) ?? []
        found.push(groupIds)
        return groupIds.map(groupId => ({ groupId, nodeId: nodeOf(groupId), errorCode: groupId === 'none-9' ? 15 : 0 }))
      }
    }
  } as unknown as Broker
  const nodes = {
    ask: <Answer>(nodeId: number, ask: (broker: Broker) => Promise<Answer>) => ask({ nodeId } as unknown as Broker),
    askAny: <Answer>(ask: (broker: Broker) => Promise<Answer>) => ask(finder)
  }
  const coordinators = new Coordinators(nodes, clock)
  const outcomes = new Map<string, string>()
  const ask = (groupIds: readonly string[], atMost = 10) =>
    coordinators.answer(
      groupIds.map(groupId => ({
        item: { groupId },
        resolve: (told: string) => outcomes.set(groupId, told),
        reject: (error: unknown) => outcomes.set(groupId, String((error as { type?: string }).type ?? error))
      })),
      atMost,
      async (broker, items) => {
        const { nodeId } = broker as unknown as { nodeId: number }
        const names = items.map(({ groupId }) => groupId)
        asked.push(`${nodeId}: ${names.join(' ')}`)
        return await answer(nodeId, names)
      }
    )
  return { clock, coordinators, found, asked, moved, outcomes, ask }
}

const all = (groupIds: readonly string[], told: Told<string> = { answer: 'ok' }) =>
  new Map(groupIds.map(groupId => [groupId, told]))

test('groups are asked for at their own coordinators, so many to a request, and looked up once', async () => {
  const { found, asked, ask } = given(async (_, groupIds) => all(groupIds))
  await ask(['a-1', 'b-2', 'c-1', 'd-1'], 2)
  assert.deepEqual(found, [['a-1', 'b-2', 'c-1', 'd-1']])
  assert.deepEqual(asked, ['1: a-1 c-1', '1: d-1', '2: b-2'])
  await ask(['a-1', 'a-1'])
  assert.equal(found.length, 1)
  assert.deepEqual(asked.slice(3), ['1: a-1', '1: a-1'])
})

test('one group that is refused does not fail the others of its request', async () => {
  const { outcomes, ask } = given(async (_, groupIds) => new Map([...all(groupIds), ['b-1', { errorCode: 30 }]]))
  await ask(['a-1', 'b-1', 'c-1'])
  assert.deepEqual(Object.fromEntries(outcomes), { 'a-1': 'ok', 'b-1': 'GROUP_AUTHORIZATION_FAILED', 'c-1': 'ok' })
})

test('a coordinator that is silent holds up its own groups alone', async () => {
  const silent = Promise.withResolvers<ReadonlyMap<string, Told<string>>>()
  const { outcomes, clock, ask } = given(async (nodeId, groupIds) => (nodeId === 2 ? silent.promise : all(groupIds)))
  void ask(['a-1', 'b-2'])
  await clock.advance(0)
  assert.deepEqual([...outcomes.keys()], ['a-1'])
  silent.reject(new Error('no answer'))
  await clock.advance(2000)
  assert.deepEqual(Object.fromEntries(outcomes), { 'a-1': 'ok', 'b-2': 'Error: no answer' })
})

test('a group that has moved is looked for again, and only that', async () => {
  const { outcomes, found, asked, moved, clock, ask } = given(async (nodeId, groupIds) =>
    nodeId === 1 ? new Map([...all(groupIds), ['b-1', { errorCode: 16 }]]) : all(groupIds)
  )
  const done = ask(['a-1', 'b-1'])
  await clock.advance(0)
  assert.deepEqual([...outcomes.keys()], ['a-1'])
  moved.set('b-1', 3)
  await clock.advance(200)
  await done
  assert.equal(outcomes.get('b-1'), 'ok')
  assert.deepEqual(found.at(-1), ['b-1'])
  assert.deepEqual(asked, ['1: a-1 b-1', '3: b-1'])
})

test('a group that nobody coordinates is given up after five tries', async () => {
  const { outcomes, found, clock, ask } = given(async (_, groupIds) => all(groupIds))
  void ask(['a-1', 'none-9'])
  await clock.advance(1000)
  assert.deepEqual(Object.fromEntries(outcomes), { 'a-1': 'ok', 'none-9': 'COORDINATOR_NOT_AVAILABLE' })
  assert.equal(found.length, 5)
})

test('a group of which the answer does not speak is an error, never an answer', async () => {
  const { outcomes, ask } = given(async () => new Map())
  await ask(['a-1'])
  assert.deepEqual([...outcomes.values()], ['ERROR_-1'])
})
