import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveRegistry, type ServedSchema } from '../../fakes/registry-server.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { brokerFor, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

const PLACE = { type: 'object', properties: { lat: { type: 'number' } } }
const TRIPS = [
  { type: 'object', properties: { id: { type: 'integer' }, fare: { type: 'number' }, at: { $ref: 'place.json' } } },
  { type: 'object', properties: { id: { type: 'integer' }, began: { type: 'string', format: 'date-time' } } }
]

const REFERENCES = [{ name: 'place.json', subject: 'place', version: 1 }]
const served = (schema: object): ServedSchema => ({ schema: JSON.stringify(schema), schemaType: 'JSON' })

const encoded = (id: number, value: unknown): Buffer => framed(id, Buffer.from(JSON.stringify(value)))

test('framed JSON becomes columns by its schema, also what comes before a restart and after', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const schemas = TRIPS.map(schema => ({ ...served(schema), references: REFERENCES }))
  const { url } = await serveRegistry(context, 'trips-value', schemas, { place: served(PLACE) })
  const { bootstrap } = broker
  broker.createTopic('trips')
  const options = {
    bootstrap,
    source: `schemaRegistry: {url: '${url}'}`,
    spec: 'topics: [{name: trips, table: bronze.trips, format: JsonSchema}]\nbatch: {triggerInterval: 100ms}'
  }
  const rows = () => workplace.rows('bronze.trips')
  await produce(bootstrap, 'trips', 0, [
    encoded(1, { id: 'none', fare: 1 }),
    encoded(1, { id: 1, fare: 12, at: { lat: 1 } }),
    Buffer.from('{"id": 3}'),
    encoded(2, { id: 2, began: '2024-01-02T03:04:05Z', zone: 'SoHo' })
  ])
  const first = await workplace.start(options)
  await first.until('the rows are in', async () => (await rows()).length === 2)
  assert.equal(await first.stop(), 0)
  await produce(bootstrap, 'trips', 0, [
    encoded(1, { id: 3, fare: 12.5 }),
    encoded(2, { id: 4, began: 'soon' }),
    encoded(2, {})
  ])
  const second = await workplace.start(options)
  await second.until('the others are in', async () => (await rows()).length === 4)
  assert.equal(await second.stop(), 0)
  const names = ['_schema_version', 'id', 'fare', 'at', 'began', 'zone']
  assert.deepEqual(
    (await rows()).map(row => names.map(name => row[name] ?? null)),
    [
      [1, 1, 12, { lat: 1 }, null, null],
      [2, 2, null, null, new Date('2024-01-02T03:04:05Z'), 'SoHo'],
      [1, 3, 12.5, null, null, null],
      [2, null, null, null, null, null]
    ]
  )
  const letters = await workplace.rows('bronze.dlq_trips')
  assert.deepEqual(
    letters.map(row => [row['_kafka_offset'], row['reason']]),
    [
      [0, 'IncompatibleSchema'],
      [2, 'NotFramed'],
      [5, 'IncompatibleSchema']
    ]
  )
})
