import { AvroError, ByteReader } from '../avro/byte-reader.ts'
import { valueReader, type ReadValue } from '../avro/read-value.ts'
import type { AvroType } from '../avro/type.ts'
import { fitsPrecision, unscaledOf } from '../columns/decimal.ts'
import { isUuid } from '../columns/fixed-bytes-column.ts'
import { AvroBytes } from './avro-bytes.ts'
import { OP, type Plan } from './avro-plan.ts'
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS } from './timestamp.ts'

/** Decimals in no more bytes are taken as numbers. */
export const SHORT_DECIMAL_BYTES = 6

const DAY_MS = 86_400_000
export const MIN_DAY = MIN_TIMESTAMP_MS / DAY_MS
export const MAX_DAY = Math.floor(MAX_TIMESTAMP_MS / DAY_MS)
const MIN_MICROS = MIN_TIMESTAMP_MS * 1000
const MAX_MICROS = BigInt(MAX_TIMESTAMP_MS) * 1000n + 999n

/**
 * Reads Avro values in place. `read` leaves a value in the public fields, `skip` passes over one with all its parts;
 * both check all there is to check, and throw AvroError for what is not as the schema has it. Nothing is allocated but
 * what is rare.
 */
export class AvroScanner extends AvroBytes {
  readonly #readers = new WeakMap<AvroType, ReadValue>()

  /**
   * Whether there is a value: false for null. Those of ARRAY, MAP, RECORD and JSON are still to be read then, and of
   * UNION the part that `number` tells.
   */
  // oxlint-disable-next-line max-lines-per-function -- one way to read each kind
  read(plan: Plan): boolean {
    this.big = undefined
    if (plan.branches > 0 && this.index(plan.branches) === plan.nullBranch) return false
    switch (plan.op) {
      case OP.STRING:
        this.text()
        return true
      case OP.DOUBLE:
        this.double()
        return true
      case OP.LONG:
        this.long()
        return true
      case OP.INT:
        this.int()
        return true
      case OP.BOOLEAN:
        this.boolean()
        return true
      case OP.FLOAT:
        this.float()
        return true
      case OP.VOID:
        return false
      case OP.ENUM:
        this.index(plan.symbols.length)
        return true
      case OP.BYTES:
        this.takeBytes()
        return true
      case OP.FIXED:
      case OP.FIXED_UUID:
        this.length = plan.sizeBytes
        this.start = this.take(plan.sizeBytes)
        return true
      case OP.UUID:
        this.takeBytes()
        if (!isUuid(this.bytes, this.start, this.length)) throw new AvroError('text is not a UUID')
        return true
      case OP.UNION: {
        const branch = this.index(plan.parts.length)
        return branch !== plan.nullBranch
      }
      case OP.ARRAY:
      case OP.MAP:
      case OP.RECORD:
      case OP.JSON:
        return true
      case OP.DECIMAL:
        this.takeBytes()
        this.#decimal(plan.precision)
        return true
      case OP.FIXED_DECIMAL:
        this.length = plan.sizeBytes
        this.start = this.take(plan.sizeBytes)
        this.#decimal(plan.precision)
        return true
      default:
        this.#time(plan.op)
        return true
    }
  }

  /** Passes over a value. */
  skip(plan: Plan): void {
    if (this.read(plan)) this.skipParts(plan)
  }

  /** Passes over what `read` left; nothing for what has no parts. */
  skipParts(plan: Plan): void {
    switch (plan.op) {
      case OP.RECORD:
        for (const part of plan.parts) this.skip(part)
        return
      case OP.UNION:
        this.skip(plan.parts[this.number] as Plan)
        return
      case OP.ARRAY: {
        const part = plan.parts[0] as Plan
        for (let count = this.block(); count > 0; count = this.block())
          while (count-- > 0) {
            const before = this.position
            this.skip(part)
            if (this.position === before) this.countEmpty()
          }
        return
      }
      case OP.MAP:
        this.#skipMap(plan.parts[0] as Plan)
        return
      case OP.JSON:
        this.json(plan)
    }
  }

  /** A value as objects, of which columns know nothing; `read` has left it. Slow. */
  json({ type }: Plan): unknown {
    let read = this.#readers.get(type)
    if (read === undefined) this.#readers.set(type, (read = valueReader(type)))
    const reader = new ByteReader(this.bytes, this.position, this.end)
    reader.emptyLeft = this.emptyLeft
    const value = read(reader)
    this.position = reader.position
    this.emptyLeft = reader.emptyLeft
    return value
  }

  #skipMap(part: Plan): void {
    const keys = new Set<string>()
    let size = 0
    for (let count = this.block(); count > 0; count = this.block())
      while (count-- > 0) {
        this.text()
        keys.add(this.bytes.toString('latin1', this.start, this.start + this.length))
        // Readers of tables refuse such maps, and with them the whole file.
        if (keys.size === size++) throw new AvroError('a map has a key twice')
        this.skip(part)
      }
  }

  /** What readers of tables cannot show is no time. */
  #time(op: number): void {
    this.long()
    const { number, big } = this
    switch (op) {
      case OP.DATE:
        if (big !== undefined || number < MIN_DAY || number > MAX_DAY)
          throw new AvroError('a date is beyond the years 1 to 9999')
        return
      case OP.TIME_MILLIS:
        if (big !== undefined || number < 0 || number >= DAY_MS) throw new AvroError('a time is not within a day')
        this.number = number * 1000
        return
      case OP.TIME_MICROS:
        if (big !== undefined || number < 0 || number >= DAY_MS * 1000)
          throw new AvroError('a time is not within a day')
        return
      case OP.TIMESTAMP_MILLIS:
        if (big !== undefined || number < MIN_TIMESTAMP_MS || number > MAX_TIMESTAMP_MS) throw new AvroError(TOO_FAR)
        this.number = number * 1000
        if (!Number.isSafeInteger(this.number)) this.whole(BigInt(number) * 1000n)
        return
      default: {
        const value = big ?? number
        if (value < MIN_MICROS || value > MAX_MICROS) throw new AvroError(TOO_FAR)
      }
    }
  }

  /** Digits beyond the precision cannot be kept. Short ones are left in `number`. */
  #decimal(precision: number): void {
    const { bytes } = this
    let { start, length } = this
    // Bytes that only repeat the sign.
    while (length > 1) {
      const [first, second] = [bytes[start] as number, bytes[start + 1] as number]
      if (!(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80)) break
      start++
      length--
    }
    this.start = start
    this.length = length
    if (length <= SHORT_DECIMAL_BYTES) {
      let value = length > 0 && (bytes[start] as number) >= 0x80 ? -1 : 0
      for (let index = 0; index < length; index++) value = value * 256 + (bytes[start + index] as number)
      this.number = value
      if (Math.abs(value) >= 10 ** precision) throw new AvroError(`a decimal has more than ${precision} digits`)
    } else if (length > 16 || !fitsPrecision(unscaledOf(bytes, start, length), precision))
      throw new AvroError(`a decimal has more than ${precision} digits`)
  }
}

const TOO_FAR = 'a timestamp is beyond the years 1 to 9999'
