// npm run bench:ndjson: rows as lines of JSON, from the pages of a row group and from objects in memory, by one process. Ratios
// count, not the absolute figures.
import { RowGroupBuffer } from '../consumer/columns/row-group.ts'
import type { ColumnType, Field } from '../consumer/columns/schema.ts'
import { ndjsonChunks } from '../consumer/ndjson/encode.ts'
import { payloads } from './records.ts'

const RECORDS = 50_000
/** Objects that are made into lines again and again, so that they are few beside what is measured. */
const OBJECTS = 1_000
const ROUNDS = 7

const column = (name: string, type: ColumnType, isJson?: true): Field => ({
  name,
  type,
  nullable: true,
  ...(isJson === undefined ? {} : { isJson })
})

/** As a table of events with lifted columns has them. */
const FIELDS: readonly Field[] = [
  column('_kafka_topic', 'string'),
  column('_kafka_partition', 'int'),
  column('_kafka_offset', 'long'),
  column('_kafka_timestamp', 'timestamp'),
  column('_ingested_at', 'timestamp'),
  column('_ingestion_id', 'string'),
  column('event_type', 'string'),
  column('fare_amount', 'double'),
  column('value', 'string', true)
]

const CONSTANTS = { _kafka_topic: 'trips', _kafka_partition: 3, _ingested_at: 1_767_225_600_000_000 }

function* rows(): Generator<Record<string, string | number>> {
  let offset = 0
  for (const value of payloads(RECORDS)) {
    yield {
      _kafka_offset: offset,
      _kafka_timestamp: CONSTANTS._ingested_at + offset * 13_000,
      _ingestion_id: `trips-3-${offset}`,
      event_type: 'trip.completed',
      fare_amount: ((offset * 37) % 8000) / 100,
      value
    }
    offset++
  }
}

const group = new RowGroupBuffer({ fields: FIELDS, partitionBy: [] })
const objects: object[] = []
for (const row of rows()) {
  group.appendRow(row)
  if (objects.length < OBJECTS) {
    const [_ingested_at, _kafka_timestamp] = [CONSTANTS._ingested_at, row['_kafka_timestamp'] as number].map(micros =>
      new Date(micros / 1000).toISOString()
    )
    objects.push({ ...CONSTANTS, ...row, _ingested_at, _kafka_timestamp })
  }
}
for (const [name, value] of Object.entries(CONSTANTS)) group.setConstant(name, value)

measure('from pages, JSON as text', () => {
  let bytes = 0
  for (const chunk of ndjsonChunks(group)) bytes += chunk.bytes.length
  return bytes
})
measure('from pages, JSON embedded', () => {
  let bytes = 0
  for (const chunk of ndjsonChunks(group, { embedJson: true })) bytes += chunk.bytes.length
  return bytes
})
measure('from objects, JSON.stringify', () => {
  let bytes = 0
  for (let round = 0; round < RECORDS / OBJECTS; round++)
    for (const object of objects) bytes += Buffer.from(`${JSON.stringify(object)}\n`).length
  return bytes
})

/** The best of some rounds, so that what other processes do counts little. */
function measure(name: string, work: () => number): void {
  let least = Infinity
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    bytes = work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1e6)
  }
  const [megabytes, micros] = [bytes / 1e6 / least, (least / RECORDS) * 1e6]
  console.log(
    `${name.padEnd(30)} ${megabytes.toFixed(0).padStart(5)} MB/s per CPU-second ${micros.toFixed(2)} µs a row of ${(bytes / RECORDS).toFixed(0)} bytes`
  )
}
