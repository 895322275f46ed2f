import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { brokerFor, produce } from '../../consumer/process/kafka.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { encodeProto, otherMessage } from '../../fakes/protobuf.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { need } from '../../servers/need.ts'
import { sharedRegistry } from '../../servers/registry.ts'
import { startPyiceberg } from '../iceberg/pyiceberg.ts'

const PROTO = `syntax = "proto3"; message Order { int32 id = 1; uint64 big = 2; map<string, Line> lines = 3; map<int64, string> byNumber = 4;
  map<bool, double> byTruth = 5; oneof way { string street = 6; Line other = 7; } repeated uint32 counts = 8; }
  message Line { bytes raw = 1; repeated string tags = 2; }`
const JSON_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    id: { type: 'integer' },
    key: { type: 'string', format: 'uuid' },
    at: { type: 'string', format: 'date-time' },
    days: { type: 'array', items: { type: 'string', format: 'date' } },
    any: { type: ['string', 'number'] }
  }
}

test(
  'Protobuf and JSON by a real registry become Iceberg tables that pyiceberg reads',
  need('registry', 'catalog', 's3', 'readers'),
  async context => {
    const [registry, catalog, workplace] = [
      await sharedRegistry(),
      await sharedCatalog(),
      await Workplace.open(context)
    ]
    const broker = await brokerFor(context)
    const { bootstrap } = broker
    const name = `typed_${randomUUID().replaceAll('-', '')}`
    const foreign = await startPyiceberg(catalog, catalog.s3)
    context.after(() => foreign.close())
    const proto = await registry.register(`${name}-proto`, PROTO, { schemaType: 'PROTOBUF' })
    const json = await registry.register(`${name}-json`, JSON_SCHEMA, { schemaType: 'JSON' })
    const message = otherMessage(PROTO, 'Order')
    const encoded = (value: Record<string, unknown>) =>
      framed(proto, Buffer.concat([Buffer.from([0]), encodeProto(message, value)]))
    const whole = {
      id: 1,
      big: '18446744073709551615',
      lines: { a: { raw: Buffer.from('hi'), tags: ['x'] } },
      byNumber: { 5: 'five' },
      byTruth: { true: 1.5 },
      other: {},
      counts: [1, 4294967295]
    }
    broker.createTopic('orders')
    broker.createTopic('clicks')
    await produce(bootstrap, 'orders', 0, [encoded(whole), encoded({ street: 'Broadway' })])
    const click = {
      id: 1,
      key: '01234567-89ab-cdef-0123-456789abcdef',
      at: '2024-01-02T03:04:05.678901Z',
      days: ['2024-02-29'],
      any: 5
    }
    await produce(
      bootstrap,
      'clicks',
      0,
      [click, {}].map(each => framed(json, Buffer.from(JSON.stringify(each))))
    )

    const { endpoint, region, accessKeyId, secretAccessKey } = catalog.s3
    await workplace.secret('store', { accessKeyId, secretAccessKey })
    const s3 = `{endpoint: "${endpoint}", region: ${region}, forcePathStyle: true, credentialsSecretRef: {name: store}}`
    const consumer = await workplace.start({
      bootstrap,
      source: `schemaRegistry: {url: "${registry.url}"}`,
      spec: `topics:
- {name: orders, table: ${name}.orders, format: Protobuf}
- {name: clicks, table: ${name}.clicks, format: JsonSchema}
batch: {triggerInterval: 300ms}`,
      sink: `{iceberg: {catalog: {uri: "${catalog.uri}"}, s3: ${s3}}}`
    })
    const rows = (table: string, query: string) =>
      foreign.sql(`${name}.${table}`, query).catch((error: unknown) => {
        if (String(error).includes('NoSuchTableError')) return []
        throw error
      })
    const orders = () =>
      rows(
        'orders',
        'select id, big::varchar, lines::varchar, byNumber::varchar, byTruth::varchar, street, other::varchar, counts::varchar from rows order by id desc'
      )
    const clicks = () =>
      rows('clicks', 'select id, key::varchar, "at"::varchar, days::varchar, "any" from rows order by id')
    const areIn = async (table: string) => String(await rows(table, 'select count(*)::varchar from rows')) === '2'
    await consumer.until('all rows are there', async () => (await areIn('orders')) && (await areIn('clicks')))
    assert.equal(await consumer.stop(), 0)
    assert.deepEqual(await orders(), [
      [
        1,
        whole.big,
        "{a={'raw': hi, 'tags': [x]}}",
        '{5=five}',
        '{true=1.5}',
        null,
        "{'raw': '', 'tags': []}",
        '[1, 4294967295]'
      ],
      [0, '0', '{}', '{}', '{}', 'Broadway', null, '[]']
    ])
    assert.deepEqual(await clicks(), [
      [1, click.key, '2024-01-02 03:04:05.678901+00', '[2024-02-29]', '5'],
      [null, null, null, null, null]
    ])
  }
)
