import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildBatch } from '../source/batch-builder.ts'
import { brokerFor, produce, send } from './kafka.ts'
import { Workplace } from './workplace.ts'

const RULES = `  quality:
    rules:
    - {name: is_valid_distance, expression: "trip_distance > 0.0", weight: 2}
    - {name: is_valid_type, expression: "__type__ in ['street', 'app']"}
    - {name: is_from_topic, expression: "_kafka_topic == 'trips' && _kafka_offset >= 0"}
    scoreColumn: score`

const spec = (topic: string, more = '') => `topics:
- name: trips
  table: bronze.trips
  format: Json
${topic}
${RULES}
batch: {triggerInterval: 100ms}
${more}`

const LIFTED = '  columns: [{name: trip_distance, value: /trip_distance, type: Double}, {name: type, value: /type}]'
const INFERRED = '  schema: {mode: Inferred}'

const VALUES = [
  '{"trip_distance": 1.5, "type": "street"}',
  '{"trip_distance": -2.5, "type": "app"}',
  '{"trip_distance": null, "type": "horse"}',
  '{"type": "app"}'
]
const EXPECTED = [
  [true, true, true, 1],
  [false, true, true, 0.5],
  [false, false, true, 0.25],
  [false, true, true, 0.5]
]
const COLUMNS = ['is_valid_distance', 'is_valid_type', 'is_from_topic', 'score']

for (const [what, topic] of [
  ['lifted columns', LIFTED],
  ['inferred fields', INFERRED]
] as const) {
  test(`rules over ${what} flag rows in columns of their own, filter none, and are counted`, async context => {
    const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
    const { bootstrap } = broker
    broker.createTopic('trips')
    await produce(bootstrap, 'trips', 0, VALUES)
    await send(bootstrap, 'trips', 0, buildBatch({ baseOffset: 0, records: [{ key: 'gone', value: null }] }))
    const consumer = await workplace.start({ bootstrap, spec: spec(topic) })
    await consumer.until('all rows are in', async () => (await workplace.rows('bronze.trips')).length === 5)
    const rows = await workplace.rows('bronze.trips')
    assert.deepEqual(
      rows.map(row => COLUMNS.map(column => row[column])),
      [...EXPECTED, [null, null, null, null]]
    )
    const metrics = await consumer.text('/metrics')
    const of = (rule: string) => `{table="bronze.trips",topic="trips",rule="${rule}"}`
    for (const line of [
      'bronze_quality_rows_total{table="bronze.trips",topic="trips"} 4',
      'bronze_quality_score_total{table="bronze.trips",topic="trips"} 2.25',
      `bronze_quality_passed_total${of('is_valid_distance')} 1`,
      `bronze_quality_errors_total${of('is_valid_distance')} 2`,
      `bronze_quality_passed_total${of('is_valid_type')} 3`,
      `bronze_quality_errors_total${of('is_valid_type')} 0`
    ]) {
      assert.ok(metrics.split('\n').includes(line), `${line}\n${metrics}`)
    }
    assert.equal(await consumer.stop(), 0)
  })
}

test('rows of the policy Inline are not judged', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('trips')
  await produce(bootstrap, 'trips', 0, [VALUES[0] ?? '', '{"trip_distance": "far"}'])
  const consumer = await workplace.start({ bootstrap, spec: spec(LIFTED, 'deadLetters: {policy: Inline}') })
  await consumer.until('all rows are in', async () => (await workplace.rows('bronze.trips')).length === 2)
  const rows = await workplace.rows('bronze.trips')
  assert.deepEqual(
    rows.map(row => COLUMNS.map(column => row[column])),
    [EXPECTED[0], [null, null, null, null]]
  )
  assert.equal(await consumer.stop(), 0)
})
