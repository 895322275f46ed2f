import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../operator/kafka/internals.ts'
import { Nodes } from '../../../operator/kafka/nodes.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

/** Two brokers; each is asked by what its state says. */
function given() {
  const clock = new ManualClock(0)
  const tries: number[] = []
  const states: Record<number, (() => Promise<string>) | undefined> = {}
  const findBroker = async ({ nodeId }: { nodeId: number }) => {
    tries.push(nodeId)
    return { nodeId, answer: states[nodeId] ?? (async () => `from ${nodeId}`) }
  }
  const brokers = { 1: { isConnected: () => false }, 2: { isConnected: () => true } }
  const cluster = { brokerPool: { brokers, findBroker } } as unknown as Cluster
  const nodes = new Nodes(cluster, clock)
  const answer = (broker: unknown) => (broker as { answer: () => Promise<string> }).answer()
  return {
    clock,
    tries,
    states,
    ask: (nodeId: number) => nodes.ask(nodeId, answer),
    askAny: () => nodes.askAny(answer)
  }
}

/** As kafkajs throws them. */
const named = (name: string, message: string) => Object.assign(new Error(message), { name })

const refused = async (): Promise<string> => {
  throw named('KafkaJSConnectionError', 'connection refused')
}

test('a broker that did not answer is not asked again for five seconds, then by one', async () => {
  const { clock, tries, states, ask } = given()
  states[1] = refused
  await assert.rejects(ask(1), /refused/)
  await assert.rejects(ask(1), /refused/)
  assert.equal(await ask(2), 'from 2')
  assert.deepEqual(tries, [1, 2])
  await clock.advance(5000)
  const silent = Promise.withResolvers<string>()
  states[1] = () => silent.promise
  const probe = ask(1)
  await assert.rejects(ask(1), /refused/)
  silent.resolve('back')
  assert.equal(await probe, 'back')
  states[1] = undefined
  assert.equal(await ask(1), 'from 1')
})

test('an answer that we do not like is no silence', async () => {
  const { tries, states, ask } = given()
  states[1] = async () => {
    throw new Error('authorization failed')
  }
  await assert.rejects(ask(1))
  await assert.rejects(ask(1))
  assert.deepEqual(tries, [1, 1])
})

test('a connection that was closed is opened again once', async () => {
  const { tries, states, ask } = given()
  let times = 0
  states[1] = async () => {
    if (++times === 1) throw named('KafkaJSConnectionClosedError', 'closed')
    return 'again'
  }
  assert.equal(await ask(1), 'again')
  assert.deepEqual(tries, [1, 1])
})

test('what any broker knows is asked of those that are connected first, and of others when they fail', async () => {
  const { tries, states, askAny } = given()
  states[2] = refused
  assert.equal(await askAny(), 'from 1')
  assert.deepEqual(tries, [2, 1])
  states[1] = refused
  await assert.rejects(askAny(), /refused/)
})
