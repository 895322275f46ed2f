import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { sharedCatalog } from '../../servers/catalog.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { python } from '../../servers/readers.ts'
import { sharedRegistry } from '../../servers/registry.ts'
import { EVENTS, framed, HOUR_MS, START_MS, TRIPS, TRIPS_LATER, WEATHER } from './taxi-records.ts'

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const RECORDS = 3000

interface Seen {
  readonly columns: Readonly<Record<string, string>>
  readonly rows: number
  readonly distinct: number
  readonly hours: readonly string[]
  readonly spec: readonly string[]
}

interface Answer extends Readonly<Record<'trips' | 'weather' | 'events', Seen>> {
  readonly quality: readonly (readonly unknown[])[]
  readonly versions: readonly (readonly unknown[])[]
  readonly dead: readonly (readonly unknown[])[]
}

test(
  'the taxi example runs one topic, then all, through a breaking schema; pyiceberg and DuckDB read what was promised',
  { ...need('kafka', 's3', 'catalog', 'registry', 'readers'), timeout: 300_000 },
  async context => {
    const [kafka, { uri, s3 }, registry] = [await sharedKafka(), await sharedCatalog(), await sharedRegistry()]
    const id = randomUUID().slice(0, 8)
    const namespace = `taxi_${id}`
    const folder = await mkdtemp(join(tmpdir(), 'bronze-taxi-'))
    context.after(() => rm(folder, { recursive: true, force: true }))
    await writeFile(
      join(folder, 'taxi-iceberg.yaml'),
      readFileSync(repository('deploy/examples/taxi-iceberg.yaml'), 'utf8')
        .replace('kafka.taxi.svc:9092', kafka.bootstrap)
        .replace('http://schema-registry.taxi.svc:8081', registry.url)
        .replace('http://iceberg-catalog.taxi.svc:8181', uri)
        .replace('http://minio.taxi.svc:9000', s3.endpoint)
        .replace(/accessKeyId: .*/, `accessKeyId: ${s3.accessKeyId}`)
        .replace(/secretAccessKey: .*/, `secretAccessKey: ${s3.secretAccessKey}`)
        .replaceAll(/- name: (\w+\.\w+)\n/g, `- name: $1\n    topic: $1.${id}\n`)
        .replaceAll(/triggerInterval: \d+s/g, 'triggerInterval: 1s')
        .replaceAll('table: bronze.', `table: ${namespace}.`)
        .replace('startFrom:', `groupId: taxi-${id}\n    startFrom:`)
    )

    const client = new Kafka({ clientId: 'test', brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
    const [admin, producer] = [client.admin(), client.producer()]
    await Promise.all([admin.connect(), producer.connect()])
    context.after(() => Promise.all([admin.disconnect(), producer.disconnect()]))
    const names = ['trips.yellow', 'weather.noaa', 'events.nyc']
    // The records are older than brokers keep them by default.
    const configEntries = [{ name: 'retention.ms', value: '-1' }]
    await admin.createTopics({
      topics: names.map(name => ({ topic: `${name}.${id}`, numPartitions: 3, configEntries }))
    })
    const produce = async (name: string, records: typeof TRIPS, first: number, count: number) => {
      const topic = `${name}.${id}`
      const schemaId = await registry.register(`${topic}-value`, records.schema)
      await registry.setCompatibility('NONE', `${topic}-value`)
      const messages = Array.from({ length: count }, (_, at) => ({
        key: String(at),
        value: framed(records, schemaId, first + at),
        timestamp: String(START_MS + ((first + at) % 3) * HOUR_MS)
      }))
      await producer.send({ topic, messages })
    }
    const bronze = async (...args: string[]) => {
      const child = spawn(process.execPath, [repository('cli/bronze.js'), ...args], { cwd: folder })
      context.after(() => child.kill('SIGKILL'))
      child.stdin.end()
      const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      assert.equal(code, 0, `bronze ${args.join(' ')}\n${output}${errors}`)
      return output
    }
    const file = ['-f', 'taxi-iceberg.yaml']
    const look = async () =>
      JSON.parse(
        await python(repository('test/integration/deploy/taxi.py'), [
          JSON.stringify(pyicebergProperties({ uri }, s3)),
          namespace
        ])
      ) as Answer

    await produce('trips.yellow', TRIPS, 0, RECORDS)
    await producer.send({ topic: `trips.yellow.${id}`, messages: [{ value: 'not Avro' }, { value: null }] })
    await bronze('run', ...file, '--topic', 'trips.yellow', '--until-caught-up')
    await Promise.all([
      produce('weather.noaa', WEATHER, 0, RECORDS),
      produce('events.nyc', EVENTS, 0, RECORDS),
      produce('trips.yellow', TRIPS_LATER, RECORDS, RECORDS)
    ])
    await bronze('run', ...file, '--until-caught-up')

    const { trips, weather, events, ...rest } = await look()
    const lineage = {
      kafka_topic: 'string',
      kafka_partition: 'int',
      kafka_offset: 'long',
      kafka_timestamp: 'timestamptz',
      bronze_processing_time: 'timestamptz',
      consumer_id: 'string',
      schema_version: 'int'
    }
    assert.deepEqual(trips.columns, {
      ...lineage,
      is_valid_distance: 'boolean',
      is_valid_fare: 'boolean',
      quality_score: 'double',
      trip_id: 'string',
      pickup_datetime: 'timestamptz',
      trip_distance: 'double',
      fare_amount: 'double',
      passenger_count: 'int',
      payment_type: 'string',
      airport_fee: 'double',
      passenger_count_string: 'string'
    })
    const { wind, ...flat } = weather.columns
    assert.deepEqual(flat, { ...lineage, station: 'string', observed_on: 'date', temperature: 'float' })
    assert.match(wind ?? '', /^struct<\d+: speed: optional float, \d+: direction: optional int>$/)
    assert.deepEqual(events.columns, { ...lineage, event_id: 'uuid', name: 'string', tags: 'list<string>' })
    // The tombstone is a row.
    assert.deepEqual([trips.rows, trips.distinct], [2 * RECORDS + 1, 2 * RECORDS + 1])
    for (const table of [weather, events]) assert.deepEqual([table.rows, table.distinct], [RECORDS, RECORDS])
    assert.equal(weather.hours.length, 3)
    assert.match(weather.spec.join(), /kafka_timestamp_hour: hour\(/)
    assert.deepEqual(rest.dead, [['NotFramed', 1]])
    assert.deepEqual(rest.versions, [
      [1, RECORDS],
      [2, RECORDS],
      [null, 1]
    ])
    // Every tenth trip went nowhere, which weighs two thirds.
    assert.deepEqual(rest.quality, [
      [false, true, 0.333, (2 * RECORDS) / 10],
      [true, true, 1, (2 * RECORDS * 9) / 10],
      [null, null, null, 1]
    ])

    const [, query = ''] =
      /```python query\.py\n(.*?)```/s.exec(readFileSync(repository('docs/iceberg.md'), 'utf8')) ?? []
    await writeFile(
      join(folder, 'query.py'),
      query
        .replace('http://localhost:8181', uri)
        .replace('http://localhost:9000', s3.endpoint)
        .replace('"minioadmin"', JSON.stringify(s3.accessKeyId))
        .replace('"minioadmin"', JSON.stringify(s3.secretAccessKey))
        .replace('bronze.trips', `${namespace}.trips`)
    )
    const printed = await python(join(folder, 'query.py'))
    assert.match(printed, /bad_distances/)
    assert.match(printed, /2026-01-05 0[789]:00:00/)

    assert.match(await bronze('status', ...file), /trips\.yellow/)
    await bronze('clean', ...file, '--yes')
    await assert.rejects(look(), /NoSuchTableError/)
  }
)
