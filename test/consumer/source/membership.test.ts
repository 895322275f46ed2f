import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { FatalError } from '../../../lib/errors.ts'
import { type TestSourceOptions, TestSource, pollUntil } from './harness.ts'
import { firstOf } from './laws/law.ts'

const JOIN_GROUP = 11
const HEARTBEAT = 12
const UNKNOWN_MEMBER_ID = 25
const FENCED_INSTANCE_ID = 82

const broker = await startBroker()
let count = 0
let topic = ''
const sources: TestSource[] = []

beforeEach(() => {
  topic = `member-${++count}`
})

afterEach(async () => {
  broker.faults.clear()
  await Promise.all(sources.splice(0).map(({ source }) => source.close({ leave: true })))
})

after(() => broker.stop())

async function open(overrides: Partial<TestSourceOptions> = {}): Promise<TestSource> {
  const source = new TestSource({ bootstrap: broker.bootstrap, groupId: `g-${topic}`, topics: [topic], ...overrides })
  sources.push(source)
  await source.source.open()
  return source
}

/** A source that is alone in its group and holds the topic's only partition. */
async function member(): Promise<TestSource> {
  broker.createTopic(topic)
  const source = await open()
  await pollUntil([source], () => source.assigned.size === 1, 'assignment')
  return source
}

/** Joins from now on; each is `faults`' next in turn, and those after them pass. */
function faultJoins(...faults: readonly ('dropBefore' | 'dropAfter' | { errorCode: number })[]): { joins: number } {
  const seen = { joins: 0 }
  let isForgotten = false
  broker.faults.intercept(({ apiKey }) => {
    if (apiKey === JOIN_GROUP) return faults[seen.joins++] ?? 'pass'
    if (apiKey !== HEARTBEAT || isForgotten) return 'pass'
    isForgotten = true
    return { errorCode: UNKNOWN_MEMBER_ID }
  })
  return seen
}

const report = (source: TestSource) =>
  source.source.report(new Map([[firstOf(topic), { nextOffset: 0, metadata: '' }]]))
const isFenced = (error: unknown) => error instanceof FatalError && error.reason === 'InstanceFenced'

for (const lost of ['dropBefore', 'dropAfter'] as const) {
  test(`a member that was forgotten and whose join is lost (${lost}) joins again`, async () => {
    const source = await member()
    const seen = faultJoins(lost)
    await pollUntil([source], () => seen.joins === 2 && source.source.isMember(), 'joining anew')
    assert.equal(await report(source), true)
  })
}

test('a join that overtakes a lost one and is fenced by it when it arrives is made once more', async () => {
  const source = await member()
  const seen = faultJoins('dropBefore', { errorCode: FENCED_INSTANCE_ID })
  await pollUntil([source], () => seen.joins === 3 && source.source.isMember(), 'joining anew')
  assert.equal(await report(source), true)
})

test('a join that is fenced again, or with none lost before, is fenced by another process', async () => {
  for (const faults of [['dropBefore', 'fenced', 'fenced'], ['fenced']] as const) {
    topic = `member-${++count}`
    const source = await member()
    const seen = faultJoins(...faults.map(fault => (fault === 'fenced' ? { errorCode: FENCED_INSTANCE_ID } : fault)))
    await assert.rejects(
      pollUntil([source], () => false, 'the fence'),
      isFenced
    )
    assert.equal(seen.joins, faults.length)
  }
})

test('a heartbeat that is fenced after a quiet one is fenced by another process, whatever was lost before', async () => {
  const source = await member()
  const seen = faultJoins('dropBefore')
  await pollUntil([source], () => seen.joins === 2 && source.source.isMember(), 'joining anew')
  let beats = 0
  broker.faults.intercept(({ apiKey }) => {
    if (apiKey === JOIN_GROUP) seen.joins++
    return apiKey === HEARTBEAT && ++beats > 1 ? { errorCode: FENCED_INSTANCE_ID } : 'pass'
  })
  await assert.rejects(
    pollUntil([source], () => false, 'the fence'),
    isFenced
  )
  assert.equal(seen.joins, 2)
})

test('topics that come while a join waits, or whose join is lost, are read', async () => {
  broker.createTopic(`${topic}.a`)
  const wanted = { topics: [], patterns: [`${topic}\\..*`] }
  const waits = { delayMs: 1000 }
  broker.faults.onRequest(JOIN_GROUP, 1, waits)
  const source = await open(wanted)
  await pollUntil([source], () => false, 'x', 400).catch(() => {})
  broker.createTopic(`${topic}.b`)
  await pollUntil([source], () => source.assigned.size === 2, 'the topic that came while the join waited')
  broker.faults.onRequest(JOIN_GROUP, 1, 'dropBefore')
  broker.createTopic(`${topic}.c`)
  await pollUntil([source], () => source.assigned.size === 3, 'the topic whose join was lost')
})
