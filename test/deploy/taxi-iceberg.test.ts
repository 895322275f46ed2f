import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readPipelines } from '../../crds/documents.ts'
import { deadLetterTable, settle } from '../../crds/settle.ts'

const FILE = 'deploy/examples/taxi-iceberg.yaml'
const { pipelines, problems } = readPipelines(readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8'), FILE)
assert.deepEqual(problems, [])
const taxi = settle(pipelines[0]!)

test('each topic has its table, its trigger and its most records', () => {
  const rows = taxi.topics.map(({ match, table, format, startFrom, batch }) => {
    const { triggerIntervalMs, maxRecords } = batch
    return [
      Object.values(match)[0],
      table,
      deadLetterTable(taxi, table),
      format,
      startFrom.position,
      triggerIntervalMs,
      maxRecords
    ]
  })
  assert.deepEqual(rows, [
    ['trips.yellow', 'bronze.trips', 'bronze.dlq_trips', 'Avro', 'Earliest', 30_000, 10_000],
    ['weather.noaa', 'bronze.weather', 'bronze.dlq_weather', 'Avro', 'Earliest', 60_000, 5000],
    ['events.nyc', 'bronze.events', 'bronze.dlq_events', 'Avro', 'Earliest', 60_000, 5000]
  ])
})

test('beside the fields of the values, tables have the lineage columns that their owner has, and the version of the schema', () => {
  for (const { metadataColumns, columns } of taxi.topics) {
    assert.deepEqual(columns, [])
    assert.deepEqual(metadataColumns.map(({ name, type }) => `${name} ${type}`).toSorted(), [
      'bronze_processing_time Timestamp',
      'consumer_id String',
      'kafka_offset Long',
      'kafka_partition Int',
      'kafka_timestamp Timestamp',
      'kafka_topic String',
      'schema_version Int'
    ])
  }
})

test('trips are flagged and scored', () => {
  const [trips] = taxi.topics
  assert.deepEqual(
    trips?.quality?.rules.map(({ name }) => name),
    ['is_valid_distance', 'is_valid_fare']
  )
  assert.equal(trips?.quality?.scoreColumn, 'quality_score')
})

test('late records go to partitions of their own hour', () => {
  assert.ok(taxi.sink.kind === 'iceberg')
  assert.deepEqual(taxi.sink.iceberg.partitionBy, [{ source: 'Timestamp', transform: 'Hour', width: undefined }])
})
