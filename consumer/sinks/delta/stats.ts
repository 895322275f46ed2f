import { formatDecimal } from '../../columns/decimal.ts'
import { isNested, type Field, type Primitive, type TableSchema } from '../../columns/schema.ts'
import type { ColumnStatistics } from '../../parquet/file.ts'
import type { Metadata } from './actions.ts'
import { rawNumber, stringifyJson } from '../json.ts'

/** Delta's default number of columns with statistics, counted in leaves. */
const DEFAULT_INDEXED_COLUMNS = 32

type Json = { [name: string]: unknown }

/** How many columns the table wants statistics of; -1 there means all. */
export function indexedColumns(metadata: Metadata | undefined): number {
  const configured = Number(metadata?.configuration?.['delta.dataSkippingNumIndexedCols'] ?? DEFAULT_INDEXED_COLUMNS)
  if (!Number.isSafeInteger(configured)) return DEFAULT_INDEXED_COLUMNS
  return configured < 0 ? Infinity : configured
}

/**
 * A file's statistics as the `stats` of its `add` (PROTOCOL.md, "Per-file Statistics"). Bounds may be wider than the
 * values, never narrower; a bound that JSON cannot say is left out.
 */
export function formatStats(
  schema: TableSchema,
  rows: number,
  columns: ReadonlyMap<string, ColumnStatistics>,
  indexed: number
): string {
  const partitions = new Set(schema.partitionBy)
  let left = indexed
  const visit = (fields: readonly Field[], prefix: string): { min: Json; max: Json; nulls: Json } => {
    const [min, max, nulls]: [Json, Json, Json] = [{}, {}, {}]
    for (const { name, type } of fields) {
      if (prefix === '' && partitions.has(name)) continue
      const path = `${prefix}${name}`
      if (typeof type === 'object' && 'struct' in type) {
        const inner = visit(type.struct, `${path}.`)
        if (Object.keys(inner.min).length > 0) min[name] = inner.min
        if (Object.keys(inner.max).length > 0) max[name] = inner.max
        if (Object.keys(inner.nulls).length > 0) nulls[name] = inner.nulls
        continue
      }
      if (left-- <= 0) continue
      const found = columns.get(path)
      if (found === undefined || isNested(type)) continue
      nulls[name] = found.nullCount
      const [low, high] = [bound(type, found.min, Math.floor), bound(type, found.max, Math.ceil)]
      if (low === undefined || high === undefined) continue
      min[name] = low
      max[name] = high
    }
    return { min, max, nulls }
  }
  const { min, max, nulls } = visit(schema.fields, '')
  return stringifyJson({ numRecords: rows, minValues: min, maxValues: max, nullCount: nulls })
}

type Bound = ColumnStatistics['min']

/** Decimals of more digits would not survive in readers that parse JSON's numbers as doubles. */
const MAX_DECIMAL_DIGITS = 15

function bound(type: Primitive, value: Bound, round: (value: number) => number): unknown {
  if (typeof value === 'string') return value
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  if (typeof type === 'object') return 'decimal' in type ? decimal(BigInt(value), type.decimal.scale) : undefined
  if (type === 'timestamp') return isoTime(round(Number(value) / 1_000))
  if (type === 'timestampNtz') return isoTime(round(Number(value) / 1_000))?.slice(0, -1)
  if (type === 'date') return isoTime(Number(value) * 86_400_000)?.slice(0, 10)
  return typeof value === 'bigint' || Number.isFinite(value) ? value : undefined
}

function decimal(unscaled: bigint, scale: number): unknown {
  const text = formatDecimal(unscaled, scale)
  return text.replace(/\D/g, '').length > MAX_DECIMAL_DIGITS ? undefined : rawNumber(text)
}

/** Milliseconds, the precision readers expect; undefined beyond the four-digit years that all of them parse. */
function isoTime(ms: number): string | undefined {
  if (!(ms >= -62_135_596_800_000 && ms < 253_402_300_800_000)) return undefined
  return new Date(ms).toISOString()
}
