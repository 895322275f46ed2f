import { isUtf8 } from './utf8.ts'
import { MAX_DAY, MIN_DAY } from './avro-scanner.ts'
import { isNullable, OP, type Plan } from './avro-plan.ts'

const NULLABLE = 32
/** Of the two branches, null is the second. */
const NULL_LAST = 64
/** Longer ones are left to those who know all. */
const SLOW = 31

/** What is known of the fields of one record, by field. */
export interface Slots {
  /** Where its bytes lie, or, when it has parts, where these begin; -1 when it is null. */
  readonly starts: Int32Array
  readonly lengths: Int32Array
  readonly numbers: Float64Array
}

/** How the fields lie in the bytes, for `scanFlat`. */
export function flatOps(parts: readonly Plan[]): Uint8Array {
  return Uint8Array.from(parts, part => {
    if (part.branches !== 0 && part.branches !== 2) return SLOW
    const flags = !isNullable(part) ? 0 : part.nullBranch === 0 ? NULLABLE : NULLABLE | NULL_LAST
    return part.branches === 2 && flags === 0 ? SLOW : FLAT.has(part.op) ? part.op | flags : SLOW
  })
}

const FLAT: ReadonlySet<number> = new Set([
  OP.BOOLEAN,
  OP.INT,
  OP.LONG,
  OP.DOUBLE,
  OP.STRING,
  OP.DATE,
  OP.TIMESTAMP_MICROS
])

/** Milliseconds that are safe integers as microseconds; well within the years 1 to 9999. */
const SAFE_MS = Math.floor(Number.MAX_SAFE_INTEGER / 1000)
/** Of the numbers that are judged here. */
const LEAST = bounds(-0x8000_0000, MIN_DAY, -SAFE_MS, -Number.MAX_SAFE_INTEGER)
const MOST = bounds(0x7fff_ffff, MAX_DAY, SAFE_MS, Number.MAX_SAFE_INTEGER)

function bounds(int: number, day: number, ms: number, micros: number): Float64Array {
  const found = new Float64Array(NULLABLE)
  found[OP.INT] = int
  found[OP.DATE] = day
  found[OP.TIMESTAMP_MILLIS] = ms
  found[OP.TIMESTAMP_MICROS] = micros
  return found
}

/**
 * The way for what most records consist of, in one loop over the fields from `first` on: plain numbers and short texts.
 * Gives the position after the fields it passed; stops before the first field that it does not know, or that is not as
 * it should be: `reached.field` tells. That is for others to judge, so that this only need be sure of what it accepts.
 */
// oxlint-disable-next-line max-lines-per-function -- calls would cost more than what they do
export function scanFlat(
  ops: Uint8Array,
  { starts, lengths, numbers }: Slots,
  bytes: Buffer,
  view: DataView,
  first: number,
  start: number,
  end: number,
  reached: { field: number }
): number {
  let from = start
  for (let field = first; field < ops.length; field++) {
    reached.field = field
    let at = from
    let op = ops[field] as number
    if (op >= NULLABLE) {
      const branch = bytes[at++] as number
      if (branch === (op < NULL_LAST ? 0 : 2)) {
        if (at > end) return from
        starts[field] = -1
        from = at
        continue
      }
      if (branch !== (op < NULL_LAST ? 2 : 0)) return from
      op &= 31
    }
    switch (op) {
      case OP.DOUBLE:
        if (at + 8 > end) return from
        numbers[field] = view.getFloat64(at, true)
        starts[field] = at
        at += 8
        break
      case OP.STRING: {
        let length = bytes[at++] as number
        if (length >= 0x80) length = (length & 0x7f) | ((bytes[at++] as number) << 7)
        // Negative, or of more than two bytes.
        if ((length & 0x4001) !== 0 || at + (length >>>= 1) > end) return from
        starts[field] = at
        lengths[field] = length
        const stop = at + length
        if (length > 32) {
          if (!isUtf8(bytes, at, stop)) return from
        } else {
          let or = 0
          for (let index = at; index < stop; index++) or |= bytes[index] as number
          if (or >= 0x80 && !isUtf8(bytes, at, stop)) return from
        }
        at = stop
        break
      }
      case OP.INT:
      case OP.LONG:
      case OP.DATE:
      case OP.TIMESTAMP_MILLIS:
      case OP.TIMESTAMP_MICROS: {
        let byte = bytes[at++] as number
        let low = byte & 0x7f
        for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
          byte = bytes[at++] as number
          low |= (byte & 0x7f) << shift
        }
        let number = (low >>> 1) ^ -(low & 1)
        if (byte >= 0x80) {
          let high = 0
          for (let shift = 0; byte >= 0x80 && shift < 28; shift += 7) {
            byte = bytes[at++] as number
            high |= (byte & 0x7f) << shift
          }
          // So that the sum is a safe integer.
          if (byte >= 0x80 || high >= 2 ** 25) return from
          const magnitude = high * 2 ** 27 + (low >>> 1)
          number = (low & 1) === 0 ? magnitude : -magnitude - 1
        }
        if (op !== OP.LONG && (number < (LEAST[op] as number) || number > (MOST[op] as number))) return from
        starts[field] = at
        numbers[field] = op === OP.TIMESTAMP_MILLIS ? number * 1000 : number
        break
      }
      case OP.BOOLEAN: {
        const byte = bytes[at++] as number
        if (byte > 1) return from
        numbers[field] = byte
        starts[field] = at
        break
      }
      default:
        return from
    }
    if (at > end) return from
    from = at
  }
  reached.field = ops.length
  return from
}
