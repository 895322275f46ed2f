import { sequence } from '../records.ts'

/** Twenty fields of the kinds that events have: text that repeats and that does not, measures, counts, times, and nulls. */
export const TRIP_SCHEMA = {
  type: 'record',
  name: 'Trip',
  namespace: 'bench',
  fields: [
    ...['pickup_zone', 'dropoff_zone'].map(name => ({ name, type: ['null', 'string'], default: null })),
    ...['payment_type', 'vendor', 'trip_id', 'rider_id'].map(name => ({ name, type: 'string' })),
    ...['trip_distance', 'fare', 'tip', 'tolls', 'surcharge', 'total'].map(name => ({ name, type: 'double' })),
    ...['passengers', 'rate_code', 'driver_id', 'pickup_location', 'dropoff_location'].map(name => ({
      name,
      type: 'long'
    })),
    { name: 'pickup_at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'is_airport', type: 'boolean' },
    { name: 'promotion_id', type: ['null', 'long'], default: null }
  ]
}

const ZONES = ['Midtown', 'JFK Airport', 'Harlem', 'SoHo', 'Astoria', 'Upper East Side', 'Chelsea']
const FIRST_MICROS = Date.UTC(2026, 0, 1) * 1000

/** Avro values in Confluent's frame (magic byte, schema id), the same ones in every run. The buffer is used again. */
export function* trips(count: number, schemaId: number): Generator<Buffer> {
  const random = sequence(7)
  const whole = (below: number) => Math.floor(random() * below)
  const cents = () => whole(10_000) / 100
  const zone = () => ZONES[whole(ZONES.length)] ?? ''
  const out = new Frame(schemaId)
  for (let index = 0; index < count; index++) {
    out.reset()
    for (let field = 0; field < 2; field++) out.optional(random() < 0.1 ? undefined : zone(), text => out.string(text))
    out.string(zone())
    out.string(zone())
    for (let field = 0; field < 2; field++) out.string(`${whole(1e9).toString(36)}-${index}`)
    for (let field = 0; field < 6; field++) out.double(cents())
    for (let field = 0; field < 5; field++) out.long(whole(1e6))
    out.long(FIRST_MICROS + index * 1000)
    out.boolean(random() > 0.5)
    out.optional(random() < 0.2 ? undefined : index, id => out.long(id))
    yield out.bytes()
  }
}

/** As little of Avro's binary encoding as these records need. */
class Frame {
  readonly #buffer = Buffer.alloc(1024)
  #end = 5

  constructor(schemaId: number) {
    this.#buffer.writeUInt32BE(schemaId, 1)
  }

  reset(): void {
    this.#end = 5
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  /** Zigzag, in groups of seven bits. */
  long(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 0x80) {
      this.#buffer[this.#end++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#end++] = rest
  }

  string(text: string): void {
    this.long(Buffer.byteLength(text))
    this.#end += this.#buffer.write(text, this.#end)
  }

  double(value: number): void {
    this.#end = this.#buffer.writeDoubleLE(value, this.#end)
  }

  boolean(value: boolean): void {
    this.#buffer[this.#end++] = value ? 1 : 0
  }

  optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.long(value === undefined ? 0 : 1)
    if (value !== undefined) write(value)
  }
}
