import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { otherType } from '../../fakes/avro.ts'
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

/** A registry of these schemas, which refuses all while `isDown`. */
async function registryFor(context: TestContext) {
  const state = { isDown: false, url: '' }
  const server = createServer((request, response) => {
    const [, id = '', rest = ''] = /^\/api\/schemas\/ids\/(\d+)(.*)$/.exec(request.url ?? '') ?? []
    const schema = SCHEMAS[Number(id) - 1]
    const answer = rest === '' ? { schema: JSON.stringify(schema) } : [{ subject: 'trips-value', version: Number(id) }]
    response.writeHead(state.isDown ? 503 : schema === undefined ? 404 : 200)
    response.end(JSON.stringify(schema === undefined ? { error_code: 40403 } : answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`
  return state
}

const encoded = (id: number, value: unknown): Buffer => framed(id, otherType(SCHEMAS[id - 1]).toBuffer(value))

test('Avro records become columns once the registry is there; a new schema adds columns', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const registry = await registryFor(context)
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
