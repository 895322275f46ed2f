// Schemas that grow, by a real registry, in tables of Snowflake and in raw objects.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brokerFor, produce } from '../../consumer/process/kafka.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { otherType } from '../../fakes/avro.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'
import { sharedRegistry } from '../../servers/registry.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const QUERY = fileURLToPath(new URL('./query.py', import.meta.url))

const JSON_V1 = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    userId: { type: 'string' },
    address: { type: 'object', properties: { city: { type: 'string' } } }
  }
}
const JSON_V2 = {
  type: 'object',
  properties: {
    ...JSON_V1.properties,
    amount: { type: 'number' },
    tags: { type: 'array', items: { type: 'string' } },
    address: { type: 'object', properties: { city: { type: 'string' }, zip: { type: 'string' } } }
  }
}
const JSON_1 = { id: 1, userId: 'a', address: { city: 'Rome' } }
const JSON_2 = { id: 2, userId: 'b', address: { city: 'Oslo', zip: '0150' }, amount: 1.5, tags: ['x', 'y'] }

const LINE = [{ name: 'sku', type: 'string' }]
const AVRO_V1 = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'total', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
    { name: 'line', type: { type: 'record', name: 'Line', fields: LINE } },
    { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-millis' } }
  ]
}
const AVRO_V2 = {
  ...AVRO_V1,
  fields: [
    ...AVRO_V1.fields.filter(({ name }) => name !== 'line'),
    {
      name: 'line',
      type: { type: 'record', name: 'Line', fields: [...LINE, { name: 'count', type: 'long', default: 0n }] }
    },
    { name: 'ratio', type: ['null', 'double'], default: null },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' }, default: 0n },
    { name: 'clock', type: { type: 'int', logicalType: 'time-millis' }, default: 0 },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 }, default: '\u0000\u0000' }
  ]
}
const AVRO_1 = { id: 1, total: Buffer.from([0x04, 0xd2]), line: { sku: 's' }, local: 1000n }
const AVRO_2 = {
  ...AVRO_1,
  id: 2,
  line: { sku: 't', count: 5n },
  ratio: { double: Number.POSITIVE_INFINITY },
  at: 1_700_000_000_123_456n,
  clock: 3_723_004,
  hash: Buffer.from([0xff, 0])
}

/** Topics of JSON and of Avro, whose second versions come while the first are still produced. */
async function world(context: TestContext) {
  const [registry, workplace, broker] = [
    await sharedRegistry(),
    await Workplace.open(context),
    await brokerFor(context)
  ]
  const name = `t${randomUUID().replaceAll('-', '')}`
  const { bootstrap } = broker
  const topics = { json: `${name}.json`, avro: `${name}.avro` }
  for (const topic of Object.values(topics)) broker.createTopic(topic)
  const plain = (schema: object): object =>
    JSON.parse(
      JSON.stringify(schema, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
    ) as object
  const id = async (topic: string, schema: object, schemaType: 'AVRO' | 'JSON') =>
    await registry.register(`${topic}-value`, plain(schema), { schemaType })
  const [json1, json2] = [await id(topics.json, JSON_V1, 'JSON'), await id(topics.json, JSON_V2, 'JSON')]
  const [avro1, avro2] = [await id(topics.avro, AVRO_V1, 'AVRO'), await id(topics.avro, AVRO_V2, 'AVRO')]
  const json = (schema: number, value: unknown) => framed(schema, Buffer.from(JSON.stringify(value)))
  const avro = (schema: number, of: object, value: unknown) => framed(schema, otherType(plain(of)).toBuffer(value))
  const first = async () => {
    await produce(bootstrap, topics.json, 0, [json(json1, JSON_1)])
    await produce(bootstrap, topics.avro, 0, [avro(avro1, AVRO_V1, AVRO_1)])
  }
  const second = async () => {
    await produce(bootstrap, topics.json, 0, [json(json2, JSON_2), json(json1, JSON_1)])
    await produce(bootstrap, topics.avro, 0, [avro(avro2, AVRO_V2, AVRO_2), avro(avro1, AVRO_V1, AVRO_1)])
  }
  const source = `schemaRegistry: {url: "${registry.url}"}`
  return { workplace, name, topics, first, second, options: { bootstrap, source } }
}

for (const mode of ['Transaction', 'Merge'] as const) {
  test(
    `tables of Snowflake get the columns of new versions, and tell the versions apart: mode ${mode}`,
    { ...need('registry', 'snowflake'), timeout: 400_000 },
    async context => {
      const { workplace, name, topics, first, second, options } = await world(context)
      const server = await sharedSnowflake()
      const { database, user, password } = server
      await workplace.secret('snowflake', { user, password })
      const session = await server.connect({ database, parameters: { TIMEZONE: 'UTC' } })
      context.after(async () => await session.rows(`DROP SCHEMA IF EXISTS ${name}`))
      const sink = `{snowflake: {account: ${server.account}, url: "${server.url}", database: ${database}, warehouse: ${server.warehouse},
    authentication: Password, credentialsSecretRef: {name: snowflake}, mode: ${mode}}}`
      const spec = (groupId: string, topicsOf: string) => ({
        ...options,
        name: groupId,
        sink,
        spec: `topics:\n${topicsOf}\nmetadataColumns: [{source: SchemaVersion, name: schema_version}]\nbatch: {triggerInterval: 300ms}`
      })
      const typed = spec(
        'typed',
        `- {name: json, topic: ${topics.json}, table: ${name}.typed, format: JsonSchema}
- {name: avro, topic: ${topics.avro}, table: ${name}.avro, format: Avro}`
      )
      const whole = spec(
        'whole',
        `- {name: whole, topic: ${topics.json}, table: ${name}.whole, format: JsonSchema, schema: {mode: Payload}, columns: [{name: order_id, value: /id, type: Long}]}`
      )
      const rows = async (query: string) => (await session.rows(query)).map(row => Object.values(row))
      const run = async (count: number) => {
        const consumers = [await workplace.start(typed), await workplace.start({ ...whole, instance: 'whole-0' })]
        for (const [index, consumer] of consumers.entries())
          await consumer.until(`${count} rows are there`, async () => {
            for (const table of index === 0 ? ['TYPED', 'AVRO'] : ['WHOLE'])
              if (String(await rows(`SELECT COUNT(*) FROM ${name}.${table}`).catch(() => '')) !== String(count))
                return false
            return true
          })
        for (const consumer of consumers) assert.equal(await consumer.stop(), 0)
      }
      await first()
      await run(1)
      await second()
      await run(3)

      assert.deepEqual(
        await rows(
          `SELECT ID, USERID, ADDRESS:city::VARCHAR, ADDRESS:zip::VARCHAR, AMOUNT, TO_VARCHAR(TAGS), SCHEMA_VERSION FROM ${name}.TYPED ORDER BY _KAFKA_OFFSET`
        ),
        [
          ['1', 'a', 'Rome', null, null, null, '1'],
          ['2', 'b', 'Oslo', '0150', '1.5', '["x","y"]', '2'],
          ['1', 'a', 'Rome', null, null, null, '1']
        ]
      )
      assert.deepEqual(
        await rows(
          `SELECT ID, TOTAL, LINE:sku::VARCHAR, LINE:count::INT, LOCAL = '1970-01-01 00:00:01'::TIMESTAMP_NTZ, RATIO = 'inf'::FLOAT,
             AT = '2023-11-14 22:13:20.123456'::TIMESTAMP_NTZ, CLOCK = '01:02:03.004'::TIME, HASH = TO_BINARY('/wA=', 'BASE64'), SCHEMA_VERSION
           FROM ${name}.AVRO ORDER BY _KAFKA_OFFSET`
        ),
        [
          ['1', '12.34', 's', null, '1', null, null, null, null, '1'],
          ['2', '12.34', 't', '5', '1', '1', '1', '1', '1', '2'],
          ['1', '12.34', 's', null, '1', null, null, null, null, '1']
        ]
      )
      assert.deepEqual(
        await rows(
          `SELECT ORDER_ID, VALUE:address:city::VARCHAR, TO_VARCHAR(VALUE:tags), SCHEMA_VERSION FROM ${name}.WHOLE ORDER BY _KAFKA_OFFSET`
        ),
        [
          ['1', 'Rome', null, '1'],
          ['2', 'Oslo', '["x","y"]', '2'],
          ['1', 'Rome', null, '1']
        ]
      )
      const columns = (await session.rows(`DESCRIBE TABLE ${name}.AVRO`)).map(row => `${row['name']} ${row['type']}`)
      assert.deepEqual(columns.slice(columns.indexOf('ID NUMBER(38,0)')), [
        'ID NUMBER(38,0)',
        'TOTAL NUMBER(38,2)',
        'LINE VARIANT',
        'LOCAL TIMESTAMP_NTZ(9)',
        'RATIO FLOAT',
        'AT TIMESTAMP_NTZ(9)',
        'CLOCK TIME(9)',
        'HASH BINARY(8388608)'
      ])
    }
  )
}

for (const format of ['Parquet', 'Ndjson'] as const) {
  test(
    `raw objects of format ${format} get the columns of new versions, and tell the versions apart`,
    { ...need('registry', 'readers'), timeout: 400_000 },
    async context => {
      const { workplace, topics, first, second, options } = await world(context)
      const root = join(workplace.folder, 'landing')
      const typed = {
        ...options,
        sink: `{s3: {location: "${pathToFileURL(root).href}", format: ${format}, layout: Glob}}`,
        spec: `topics:
- {name: json, topic: ${topics.json}, table: typed, format: JsonSchema}
- {name: avro, topic: ${topics.avro}, table: avro, format: Avro}
batch: {triggerInterval: 300ms}`
      }
      const from = (table: string) =>
        format === 'Parquet'
          ? `read_parquet('${root}/${table}/topic=*/*.parquet', union_by_name = true)`
          : `read_json('${root}/${table}/topic=*/*.ndjson.zst', format = 'newline_delimited', union_by_name = true)`
      const rows = async (query: string) => JSON.parse(await python(QUERY, [query])) as readonly (readonly unknown[])[]
      const run = async (count: number) => {
        const consumer = await workplace.start(typed)
        await consumer.until(`${count} rows are there`, async () => {
          const both = `SELECT (SELECT count(*) FROM ${from('typed')}), (SELECT count(*) FROM ${from('avro')})`
          const counts = await rows(both).catch(() => [])
          return String(counts) === `${count},${count}`
        })
        assert.equal(await consumer.stop(), 0)
      }
      await first()
      await run(1)
      await second()
      await run(3)
      assert.deepEqual(
        await rows(
          `SELECT id, userId, address.city, address.zip, amount, tags[2], _schema_version FROM ${from('typed')} ORDER BY _kafka_offset`
        ),
        [
          [1, 'a', 'Rome', null, null, null, 1],
          [2, 'b', 'Oslo', '0150', 1.5, 'y', 2],
          [1, 'a', 'Rome', null, null, null, 1]
        ]
      )
      assert.deepEqual(
        await rows(
          `SELECT id, total::VARCHAR, line.sku, line.count, ratio is not null, _schema_version FROM ${from('avro')} ORDER BY _kafka_offset`
        ),
        [
          [1, '12.34', 's', null, false, 1],
          [2, '12.34', 't', 5, true, 2],
          [1, '12.34', 's', null, false, 1]
        ]
      )
    }
  )
}
