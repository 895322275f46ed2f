/** A day of a shop, second by second. Made up, but of all that is hard: nights, bursts, outages, one busy key, a slow sink. */

export const DAY_SECONDS = 86_400
export const TOPICS = 3
export const PARTITIONS_PER_TOPIC = 8
export const PARTITIONS = TOPICS * PARTITIONS_PER_TOPIC
/** Records per second that one consumer writes when the sink lets it. */
export const CONSUMER_RATE = 2000
/** The partition that has one busy customer in the afternoon. */
const HOT_PARTITION = 5

/** What happens, with hours of the day, as the plot shows it. */
export const EVENTS: readonly { readonly name: string; readonly fromHour: number; readonly toHour: number }[] = [
  { name: 'nothing comes', fromHour: 1.5, toHour: 4.5 },
  { name: 'burst', fromHour: 8, toHour: 8.05 },
  { name: 'brokers away', fromHour: 10, toHour: 10.33 },
  { name: 'hot partition', fromHour: 13.5, toHour: 14.25 },
  { name: 'new image', fromHour: 15.5, toHour: 15.51 },
  { name: 'import', fromHour: 16.25, toHour: 16.35 },
  { name: 'slow sink', fromHour: 18, toHour: 19 }
]

const within = (name: string, hour: number): boolean =>
  EVENTS.some(event => event.name === name && hour >= event.fromHour && hour < event.toHour)

export const areBrokersAway = (second: number): boolean => within('brokers away', second / 3600)
export const isRolledAt = (second: number): boolean => second === 15.5 * 3600
/** Records per second that the sink takes in all. */
export const sinkRate = (second: number): number => (within('slow sink', second / 3600) ? 4500 : Infinity)

/** Records that come in each second of the day, by partition, in an array that is used again; the same for the same seed. */
export function trafficOf(seed: number): (second: number) => Float64Array {
  const random = randomOf(seed)
  const weights = Array.from({ length: PARTITIONS }, () => 0.8 + 0.4 * random())
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const minutes = Array.from({ length: DAY_SECONDS / 60 }, () => 0.9 + 0.2 * random())
  // Producers keep what they could not send, and send it within two minutes.
  let kept = 0
  const records = new Float64Array(PARTITIONS)
  return second => {
    const hour = second / 3600
    const noise = minutes[Math.floor(second / 60)] ?? 1
    let total = within('nothing comes', hour)
      ? 0
      : (300 + 6500 * hill(hour, 12.5, 3.2) + 8500 * hill(hour, 19.5, 1.8)) * noise
    if (within('burst', hour)) total += 30_000
    if (within('import', hour)) total += 9000
    if (areBrokersAway(second)) {
      kept += total
      total = 0
    } else if (kept > 0) {
      const sent = Math.min(kept, 60_000)
      kept -= sent
      total += sent
    }
    for (const [index, weight] of weights.entries()) records[index] = (total * weight) / sum
    if (within('hot partition', hour)) records[HOT_PARTITION] = (records[HOT_PARTITION] ?? 0) + 2300
    return records
  }
}

const hill = (hour: number, middle: number, width: number): number => Math.exp(-(((hour - middle) / width) ** 2))

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
