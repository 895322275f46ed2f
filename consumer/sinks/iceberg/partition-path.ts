import { formatDecimal } from '../../columns/decimal.ts'
import type { Primitive, Transform } from '../../columns/schema.ts'
import type { PartitionValue } from '../../columns/transforms.ts'
import type { TupleField } from './partition-spec.ts'

/**
 * The folders of a data file, as engines name them, for people: `a_hour=2026-11-21-14/b=x/`. Readers go by the manifest.
 * Empty without partitioning.
 */
export const partitionPath = (tuple: readonly TupleField[], values: readonly PartitionValue[]): string =>
  tuple
    .map(({ name, transform, type }, index) => {
      const value = values[index] ?? null
      return `${encoded(name)}=${encoded(value === null ? 'null' : humanValue(transform, type, value))}/`
    })
    .join('')

/** Keys of objects have 1,024 bytes. */
const MAX_VALUE_BYTES = 200

/** As form fields are encoded, but a space is no plus: a plus in a key means different things to different stores. */
const encoded = (text: string): string => {
  const safe = encodeURIComponent(text).replaceAll(/[!'()*~]/g, character => `%${character.charCodeAt(0).toString(16)}`)
  return safe.length <= MAX_VALUE_BYTES ? safe : safe.slice(0, MAX_VALUE_BYTES).replace(/%.?$/, '')
}

function humanValue(transform: Transform, type: Primitive, value: Exclude<PartitionValue, null>): string {
  if (value instanceof Uint8Array)
    return type === 'uuid' ? uuidText(Buffer.from(value)) : Buffer.from(value).toString('base64')
  if (transform === 'year') return yearText(1970 + Number(value))
  if (transform === 'month') {
    const months = Number(value)
    return `${yearText(1970 + Math.floor(months / 12))}-${padded(months - Math.floor(months / 12) * 12 + 1)}`
  }
  if (transform === 'hour') {
    const day = Math.floor(Number(value) / 24)
    return `${dayText(day)}-${padded(Number(value) - day * 24)}`
  }
  if (type === 'date') return dayText(Number(value))
  if (type === 'timestamp' || type === 'timestampNtz') return timeText(BigInt(value), type === 'timestamp')
  if (typeof type === 'object' && 'decimal' in type) return formatDecimal(BigInt(value), type.decimal.scale)
  return String(value)
}

const padded = (value: number, digits = 2): string => String(value).padStart(digits, '0')

const yearText = (year: number): string => (year < 0 ? `-${padded(-year, 4)}` : padded(year, 4))

function dayText(day: number): string {
  const date = new Date(day * 86_400_000)
  // Days beyond what a Date can say.
  if (Number.isNaN(date.getTime())) return String(day)
  return `${yearText(date.getUTCFullYear())}-${padded(date.getUTCMonth() + 1)}-${padded(date.getUTCDate())}`
}

function timeText(micros: bigint, isUtc: boolean): string {
  const rest = BigInt.asUintN(64, ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const seconds = Number((micros - rest) / 1_000_000n)
  const date = new Date(seconds * 1_000)
  if (Number.isNaN(date.getTime())) return String(micros)
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(part => padded(part)).join(':')
  const fraction = rest === 0n ? '' : `.${padded(Number(rest), 6)}`
  return `${dayText(Math.floor(seconds / 86_400))}T${time}${fraction}${isUtc ? '+00:00' : ''}`
}

const uuidText = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
