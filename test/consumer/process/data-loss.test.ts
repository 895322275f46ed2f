import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { brokerFor, groupView, numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const TOPICS = ['cut', 'shortened', 'anew']
const spec = (topics: readonly string[]) =>
  `topics:\n${topics.map(topic => `- {name: ${topic}, table: bronze.${topic}}\n`).join('')}batch: {triggerInterval: 100ms}`

/** Three tables hold offsets 0 to 9 of their topics; then each topic has lost something in another way. */
async function loseRecords(context: TestContext) {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  for (const topic of TOPICS) {
    broker.createTopic(topic)
    await produce(bootstrap, topic, 0, numbered(10))
  }
  const consumer = await workplace.start({ bootstrap, spec: spec(TOPICS) })
  const areFull = async () => {
    for (const topic of TOPICS) if ((await workplace.rows(`bronze.${topic}`)).length < 10) return false
    return true
  }
  await consumer.until('the tables hold all', areFull)
  assert.equal(await consumer.stop(), 0)

  await produce(bootstrap, 'cut', 0, numbered(10))
  broker.deleteRecords('cut', 0, 15)
  broker.truncate('shortened', 0, 6)
  broker.deleteTopic('anew')
  broker.createTopic('anew')
  await produce(bootstrap, 'anew', 0, numbered(4))
  return { broker, workplace }
}

test('onDataLoss Fail ends with 78 and names what was lost and how to go on', async context => {
  const { broker, workplace } = await loseRecords(context)
  const expected = {
    cut: ['SourceTruncated', /cut-0 begins at offset 15 now: records from 10 on were deleted .*onDataLoss: Continue/],
    shortened: ['SourceBeyondEnd', /shortened-0 ends at offset 6, before 10 .*onDataLoss: Continue/],
    anew: ['TopicRecreated', /anew was deleted and created anew.*up to offset 10.*onDataLoss: Continue/]
  } as const
  const failing = Object.entries(expected).map(async ([topic, [reason, words]]) => {
    const pipeline = { bootstrap: broker.bootstrap, name: topic, spec: spec([topic]), instance: topic }
    const consumer = await workplace.start(pipeline)
    assert.equal(await consumer.ended(), 78)
    const left = await consumer.message()
    assert.equal(left.reason, reason)
    assert.match(left.message, words)
    assert.deepEqual(await workplace.keys(`bronze.${topic}`), span(topic, 0, 0, 10))
  })
  await Promise.all(failing)
})

test('onDataLoss Continue goes on where it can, and tells it in metrics, reports and ingestion ids', async context => {
  const { broker, workplace } = await loseRecords(context)
  const { bootstrap } = broker
  const consumer = await workplace.start({ bootstrap, spec: spec(TOPICS), source: 'onDataLoss: Continue' })
  const has = async (topic: string, rows: number) => (await workplace.rows(`bronze.${topic}`)).length >= rows
  await consumer.until('the rest of one and the new one are in', async () => (await has('cut', 15)) && has('anew', 14))
  await consumer.until('the shorter log was noticed', async () =>
    (await consumer.text('/metrics')).includes('topic="shortened"')
  )
  await produce(bootstrap, 'shortened', 0, numbered(3))
  await consumer.until('the shorter log is read on', () => has('shortened', 13))
  // And under its eyes.
  broker.deleteTopic('anew')
  broker.createTopic('anew')
  await produce(bootstrap, 'anew', 0, numbered(2))
  await consumer.until('the newest one is in', () => has('anew', 16))
  const metrics = await consumer.text('/metrics')
  assert.equal(await consumer.stop(), 0)

  assert.deepEqual(await workplace.keys('bronze.cut'), [...span('cut', 0, 0, 10), ...span('cut', 0, 15, 20)])
  assert.deepEqual(await ids(workplace, 'shortened'), [
    ...span('shortened', 0, 0, 10),
    ...[6, 7, 8].map(offset => `shortened-0~1-${offset}`)
  ])
  assert.deepEqual(await ids(workplace, 'anew'), [
    ...span('anew', 0, 0, 10),
    ...[0, 1, 2, 3].map(offset => `anew-0~1-${offset}`),
    ...[0, 1].map(offset => `anew-0~2-${offset}`)
  ])
  for (const [topic, kind] of [
    ['cut', 'Truncated'],
    ['shortened', 'BeyondEnd'],
    ['anew', 'Recreated']
  ] as const) {
    assert.match(metrics, new RegExp(`bronze_source_losses_total\\{topic="${topic}",kind="${kind}"\\} [1-9]`))
    const { offsets } = await groupView(bootstrap, 'bronze.lake.shop')
    assert.match(offsets.get(`${topic}-0`)?.metadata ?? '', new RegExp(`"loss":\\{"kind":"${kind}"`))
  }
})

async function ids(workplace: Workplace, topic: string): Promise<readonly string[]> {
  return (await workplace.rows(`bronze.${topic}`)).map(row => String(row['_ingestion_id'])).sort()
}
