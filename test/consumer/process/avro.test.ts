import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otherType } from '../../fakes/avro.ts'
import { serveRegistry } from '../../fakes/registry-server.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { brokerFor, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

const record = (fields: Record<string, unknown>) => ({
  type: 'record',
  name: 'trip',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type }))
})

const SCHEMAS = [
  record({ id: 'int', zone: ['null', 'string'] }),
  record({
    id: 'long',
    at: { type: 'long', logicalType: 'timestamp-millis' },
    stops: { type: 'array', items: 'string' }
  })
]

const encoded = (id: number, value: unknown): Buffer => framed(id, otherType(SCHEMAS[id - 1]).toBuffer(value))

test('Avro records become columns once the registry is there; a new schema adds columns', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const schemas = SCHEMAS.map(schema => ({ schema: JSON.stringify(schema) }))
  const registry = await serveRegistry(context, 'trips-value', schemas)
  registry.isDown = true
  const { bootstrap } = broker
  broker.createTopic('trips')
  await produce(bootstrap, 'trips', 0, [
    encoded(1, { id: 1, zone: { string: 'SoHo' } }),
    encoded(2, { id: 2n ** 60n, at: 1_700_000_000_123n, stops: ['a', 'b'] }),
    Buffer.from('{"id": 3}'),
    encoded(1, { id: 4, zone: null }),
    Buffer.concat([encoded(1, { id: 5, zone: null }), Buffer.from([0])])
  ])
  const consumer = await workplace.start({
    bootstrap,
    source: `schemaRegistry: {url: '${registry.url}'}`,
    spec: 'topics: [{name: trips, table: bronze.trips, format: Avro}]\nbatch: {triggerInterval: 100ms}'
  })
  const rows = () => workplace.rows('bronze.trips')
  await consumer.ready()
  assert.deepEqual(await rows(), [])
  registry.isDown = false
  await consumer.until('the rows are in', async () => (await rows()).length === 3)
  assert.equal(await consumer.stop(), 0)
  const names = ['_schema_version', 'id', 'zone', 'at', 'stops']
  assert.deepEqual(
    (await rows()).map(row => names.map(name => row[name] ?? null)),
    [
      [1, 1, 'SoHo', null, null],
      [2, 2n ** 60n, null, new Date(1_700_000_000_123), ['a', 'b']],
      [1, 4, null, null, null]
    ]
  )
  const letters = await workplace.rows('bronze.dlq_trips')
  assert.deepEqual(
    letters.map(row => [row['_kafka_offset'], row['reason']]),
    [
      [2, 'NotFramed'],
      [4, 'InvalidAvro']
    ]
  )
})
