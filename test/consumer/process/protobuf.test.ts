import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeProto, otherMessage } from '../../fakes/protobuf.ts'
import { serveRegistry, type ServedSchema } from '../../fakes/registry-server.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { brokerFor, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

const PLACE = 'syntax = "proto3"; package acme; message Place { double lat = 1; double lon = 2; }'
const proto = (fields: string) =>
  `syntax = "proto3"; package acme; import "acme/place.proto"; import "google/protobuf/timestamp.proto"; message Trip { ${fields} }`

const TRIPS = [
  proto('int32 id = 1; optional string zone = 2; Place at = 3;'),
  proto('int64 id = 1; Place at = 3; google.protobuf.Timestamp began = 4; repeated string stops = 5; uint64 paid = 6;')
]

const REFERENCES = [{ name: 'acme/place.proto', subject: 'place', version: 1 }]
const served = (schema: string): ServedSchema => ({ schema, schemaType: 'PROTOBUF' })

function encoded(id: number, value: Record<string, unknown>): Buffer {
  const text = `${TRIPS[id - 1]} ${PLACE.slice(PLACE.indexOf('message'))}`
  return framed(id, Buffer.concat([Buffer.from([0]), encodeProto(otherMessage(text, 'acme.Trip'), value)]))
}

test('Protobuf records become columns; a new schema adds columns and widens others', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const schemas = TRIPS.map(schema => ({ ...served(schema), references: REFERENCES }))
  const { url } = await serveRegistry(context, 'trips-value', schemas, { place: served(PLACE) })
  const { bootstrap } = broker
  broker.createTopic('trips')
  await produce(bootstrap, 'trips', 0, [
    encoded(1, { id: 1, zone: 'SoHo', at: { lat: 1.5 } }),
    encoded(2, {
      id: '1152921504606846976',
      began: { seconds: 1_700_000_000, nanos: 123_456_789 },
      stops: ['a', 'b'],
      paid: 7
    }),
    Buffer.from('{"id": 3}'),
    encoded(1, {}),
    Buffer.concat([encoded(1, { id: 5 }), Buffer.from([0])])
  ])
  const consumer = await workplace.start({
    bootstrap,
    source: `schemaRegistry: {url: '${url}'}`,
    spec: 'topics: [{name: trips, table: bronze.trips, format: Protobuf}]\nbatch: {triggerInterval: 100ms}'
  })
  const rows = () => workplace.rows('bronze.trips')
  await consumer.until('the rows are in', async () => (await rows()).length === 3)
  assert.equal(await consumer.stop(), 0)
  const names = ['_schema_version', 'id', 'zone', 'at', 'began', 'stops', 'paid']
  assert.deepEqual(
    (await rows()).map(row => names.map(name => row[name] ?? null)),
    [
      [1, 1, 'SoHo', { lat: 1.5, lon: 0 }, null, null, null],
      [2, 2n ** 60n, null, null, new Date(1_700_000_000_123), ['a', 'b'], 7],
      [1, 0, null, null, null, null, null]
    ]
  )
  const letters = await workplace.rows('bronze.dlq_trips')
  assert.deepEqual(
    letters.map(row => [row['_kafka_offset'], row['reason']]),
    [
      [2, 'NotFramed'],
      [4, 'InvalidProtobuf']
    ]
  )
})
