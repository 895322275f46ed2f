import { ByteWriter } from '../../../consumer/avro/byte-writer.ts'
import { schemaOf } from '../../../consumer/avro/parse-schema.ts'
import { valueWriter } from '../../../consumer/avro/write-value.ts'

export const HOUR_MS = 3_600_000
/** Of the first hour that records are of. */
export const START_MS = Date.UTC(2026, 0, 5, 7)

export interface Records {
  readonly schema: object
  readonly value: (index: number) => object
}

const optional = (name: string, type: unknown) => ({ name, type: ['null', type], default: null })
const record = (name: string, fields: readonly object[]) => ({ type: 'record', name, namespace: 'city', fields })

const TRIP_FIELDS = [
  { name: 'trip_id', type: 'string' },
  { name: 'pickup_datetime', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'trip_distance', type: 'double' },
  { name: 'fare_amount', type: 'double' },
  { name: 'payment_type', type: { type: 'enum', name: 'Payment', symbols: ['cash', 'card'] } }
]

const trip = (index: number) => ({
  trip_id: `trip-${index}`,
  pickup_datetime: START_MS + index * 1000,
  trip_distance: index % 10 === 0 ? 0 : index / 10,
  fare_amount: 2.5 + (index % 50),
  payment_type: index % 3 === 0 ? 'cash' : 'card'
})

export const TRIPS: Records = {
  schema: record('Trip', [...TRIP_FIELDS, optional('passenger_count', 'int')]),
  value: index => ({ ...trip(index), passenger_count: index % 4 === 0 ? null : index % 6 })
}

/** A field more, and one that became text. */
export const TRIPS_LATER: Records = {
  schema: record('Trip', [...TRIP_FIELDS, optional('passenger_count', 'string'), optional('airport_fee', 'double')]),
  value: index => ({
    ...trip(index),
    passenger_count: `about ${index % 6}`,
    airport_fee: index % 2 === 0 ? 1.75 : null
  })
}

export const WEATHER: Records = {
  schema: record('Weather', [
    { name: 'station', type: 'string' },
    { name: 'observed_on', type: { type: 'int', logicalType: 'date' } },
    optional('temperature', 'float'),
    { name: 'wind', type: record('Wind', [optional('speed', 'float'), optional('direction', 'int')]) }
  ]),
  value: index => ({
    station: `KNYC${index % 7}`,
    observed_on: 20_458 + (index % 30),
    temperature: index % 5 === 0 ? null : index % 40,
    wind: { speed: index % 20, direction: index % 360 }
  })
}

export const EVENTS: Records = {
  schema: record('Event', [
    { name: 'event_id', type: { type: 'string', logicalType: 'uuid' } },
    { name: 'name', type: 'string' },
    { name: 'tags', type: { type: 'array', items: 'string' } }
  ]),
  value: index => ({
    event_id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    name: `Parade ${index}`,
    tags: ['street', 'closed'].slice(0, index % 3)
  })
}

const writers = new Map<Records, ReturnType<typeof valueWriter>>()

/** The value of a record in Confluent's frame: a zero, the id of its schema, Avro. */
export function framed(records: Records, schemaId: number, index: number): Buffer {
  const write = writers.get(records) ?? valueWriter(schemaOf(records.schema))
  writers.set(records, write)
  const head = Buffer.alloc(5)
  head.writeInt32BE(schemaId, 1)
  const body = new ByteWriter()
  write(body, records.value(index))
  return Buffer.concat([head, body.view()])
}
