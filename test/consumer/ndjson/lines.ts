import assert from 'node:assert/strict'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { formatDecimal } from '../../../consumer/columns/decimal.ts'
import {
  isNested,
  type ColumnType,
  type Field,
  type Primitive,
  type TableSchema
} from '../../../consumer/columns/schema.ts'
import { ndjsonChunks, type NdjsonOptions } from '../../../consumer/ndjson/encode.ts'

export const schemaOf = (...fields: readonly Field[]): TableSchema => ({ fields, partitionBy: [] })
export const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })

export function groupOf(schema: TableSchema, rows: readonly Readonly<Record<string, unknown>>[]): RowGroupBuffer {
  const group = new RowGroupBuffer(schema)
  for (const row of rows) group.appendRow(row)
  return group
}

/** The lines of rows of one column named `a`. */
export const linesOfColumn = (type: ColumnType, values: readonly unknown[]): readonly string[] =>
  linesOf(
    groupOf(
      schemaOf(field('a', type)),
      values.map(a => ({ a }))
    )
  ).map(line => line.replace(/^\{"a":(.*)\}$/s, '$1'))

/** A number of JSON as it was written. */
class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The lines of a group, each without its line feed; chunks are whole lines of valid UTF-8. */
export function linesOf(group: RowGroupBuffer, options: NdjsonOptions = {}): readonly string[] {
  return [...ndjsonChunks(group, options)].flatMap(({ bytes, rows }) => {
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
    assert.equal(lines.pop(), '')
    assert.equal(lines.length, rows)
    return lines
  })
}

/** What a reader that knows the columns' types has of a line. Longs are bigints, decimals their digits, bytes hexadecimal. */
export function parsed(fields: readonly Field[], line: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? new Digits(context?.source ?? '') : value
  return members(fields, JSON.parse(line, reviver) as unknown, readJson)
}

/** The same of a row as it was appended. */
export const appended = (fields: readonly Field[], row: unknown): unknown => members(fields, row, readAppended)

type Read = (type: Primitive, value: unknown) => unknown

function members(fields: readonly Field[], row: unknown, read: Read): unknown {
  const parts = row as Readonly<Record<string, unknown>>
  return Object.fromEntries(fields.map(({ name, type }) => [name, member(type, parts[name], read)]))
}

function member(type: ColumnType, value: unknown, read: Read): unknown {
  if (value === null || value === undefined) return null
  if (!isNested(type)) return read(type, value)
  if ('struct' in type) return members(type.struct, value, read)
  if ('list' in type) return (value as unknown[]).map(item => member(type.list, item, read))
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [key, member(type.map.value, item, read)]))
}

function readJson(type: Primitive, value: unknown): unknown {
  const digits = () => {
    assert.ok(value instanceof Digits, `${String(value)} is a number`)
    return value.text
  }
  const text = (pattern: RegExp): string => {
    assert.equal(typeof value, 'string')
    assert.match(value as string, pattern)
    return value as string
  }
  if (typeof type === 'object') {
    return 'fixed' in type ? Buffer.from(text(/^[A-Za-z0-9+/]*=*$/), 'base64').toString('hex') : digits()
  }
  switch (type) {
    case 'binary':
      return Buffer.from(text(/^[A-Za-z0-9+/]*=*$/), 'base64').toString('hex')
    case 'long':
    case 'int':
      return BigInt(digits())
    case 'float':
    case 'double':
      if (typeof value === 'string') return Number(value)
      assert.match(digits(), /[.e]/)
      return Number(digits())
    case 'timestamp':
      return microsOf(text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/))
    case 'timestampNtz':
      return microsOf(`${text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)}Z`)
    case 'time':
      return microsOf(`1970-01-01T${text(/^\d\d:\d\d:\d\d\.\d{6}$/)}Z`)
    case 'date':
      return Date.parse(text(/^\d{4}-\d\d-\d\d$/)) / 86_400_000
    case 'uuid':
      return text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    case 'string':
    case 'boolean':
      assert.equal(typeof value, type)
      return value
  }
}

function readAppended(type: Primitive, value: unknown): unknown {
  if (typeof type === 'object') {
    return 'fixed' in type ? (value as Buffer).toString('hex') : formatDecimal(value as bigint, type.decimal.scale)
  }
  switch (type) {
    case 'binary':
      return (value as Buffer).toString('hex')
    case 'long':
    case 'int':
    case 'time':
    case 'timestamp':
    case 'timestampNtz':
      return BigInt(value as number)
    case 'uuid':
      return typeof value === 'string'
        ? value
        : (value as Buffer).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    case 'date':
    case 'float':
    case 'double':
    case 'string':
    case 'boolean':
      return value
  }
}

/** The engine's own clock, to milliseconds; the microseconds are added. */
function microsOf(text: string): bigint {
  return BigInt(Date.parse(`${text.slice(0, -4)}Z`)) * 1000n + BigInt(text.slice(-4, -1))
}
