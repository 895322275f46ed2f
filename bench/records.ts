/** What the payloads of the benchmark are made of: events of a taxi company. */
const ZONES = ['Midtown', 'JFK Airport', 'Harlem', 'SoHo', 'Astoria', 'Upper East Side', 'Chelsea']
const FIRST_MS = Date.UTC(2026, 0, 1)

/** JSON texts of 431 bytes on average, the same ones in every run. */
export function* payloads(count: number): Generator<string> {
  const random = sequence(1)
  const whole = (below: number) => Math.floor(random() * below)
  const cents = (below: number) => whole(below * 100) / 100
  const hex = (digits: number) =>
    whole(16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  for (let index = 0; index < count; index++) {
    const endMs = FIRST_MS + index * 13 + whole(1000)
    yield JSON.stringify({
      event_id: `${hex(8)}-${hex(4)}-${hex(4)}-${hex(12)}`,
      event_type: 'trip.completed',
      schema_version: 3,
      producer_service: 'dispatch-api',
      vendor_id: 1 + whole(2),
      pickup_datetime: new Date(endMs - 900_000).toISOString(),
      dropoff_datetime: new Date(endMs).toISOString(),
      passenger_count: 1 + whole(4),
      trip_distance: cents(20),
      pu_zone: ZONES[whole(7)],
      do_zone: ZONES[whole(7)],
      payment_type: whole(4),
      fare_amount: cents(80),
      tip_amount: cents(15),
      total_amount: cents(100),
      rider: { id: whole(1_000_000), loyalty: random() > 0.5 }
    })
  }
}

/** A linear congruential generator: in [0, 1), the same from the same seed. */
export function sequence(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}
