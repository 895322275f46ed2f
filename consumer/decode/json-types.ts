import { folded } from '../columns/evolve.ts'
import type { ColumnType, Field } from '../columns/schema.ts'
import { INTEGER, MAX_FIELDS } from './json-members.ts'
import { decimalOf, longOf } from './json-number.ts'
import { KIND } from './json-scanner.ts'
import type { JsonMember, JsonValue } from './json-tree.ts'
import { parseDateDays, timestampMicrosOf } from './timestamp.ts'
import { isUuid } from '../columns/fixed-bytes-column.ts'
import type { TableColumn } from '../sink.ts'

/** Whole numbers beyond 64 bits. */
const WIDE: ColumnType = { decimal: { precision: 38, scale: 0 } }
const INTEGER_LITERAL = /^-?[0-9]+$/

/**
 * The type of a value; undefined when it says nothing about its type (null, and what is empty). With a `known` type:
 * that very one if the value fits it without loss (arrays fit `string` as their JSON text), else what the value is by
 * itself, which for objects and arrays takes over what their parts fit. Objects and arrays have nullable parts only.
 */
export function typeOf(bytes: Buffer, value: JsonValue, known: ColumnType | undefined): ColumnType | undefined {
  switch (value.kind) {
    case KIND.NULL:
    case KIND.MISSING:
      return undefined
    case KIND.TRUE:
    case KIND.FALSE:
      return 'boolean'
    case KIND.NUMBER:
    case INTEGER:
      return numberType(bytes, value.start, value.end, known)
    case KIND.OBJECT:
      return objectType(bytes, value.members, known)
    case KIND.ARRAY:
      return arrayType(bytes, value.items, known)
    case KIND.STRING:
      return known !== undefined && isText(bytes, value, known) ? known : 'string'
    default:
      return 'string'
  }
}

/** Whether a column holds the text as a time or the like. Text with escapes is none. */
function isText(bytes: Buffer, { start, end }: JsonValue, type: ColumnType): boolean {
  if (type === 'timestamp') return timestampMicrosOf(bytes, start, end) !== undefined
  if (type === 'date') return parseDateDays(bytes.toString('latin1', start, end)) !== undefined
  return type === 'uuid' && isUuid(bytes, start, end - start)
}

/** What a field is known to be: by its name, or by the name that it was given when its own was taken by another type. */
export function knownType(fields: FieldIndex | undefined, name: string, kind: number): ColumnType | undefined {
  const type = fields?.get(name)?.type
  if (type === undefined || fields === undefined) return undefined
  if (kind === KIND.OBJECT && !isOf(type, 'struct')) return typeNamed(fields, `${name}_struct`, 'struct') ?? type
  if (kind === KIND.ARRAY && type !== 'string' && !isOf(type, 'list')) {
    return typeNamed(fields, `${name}_list`, 'list') ?? type
  }
  return type
}

/** A field of which more is known than its column says. */
export interface JsonField extends Field {
  /** Text that may be anything: what is no text is kept as its JSON. */
  readonly takesAll?: true
  /** A schema has it, the table does not yet: a value that does not fit decides nothing. */
  readonly isNew?: true
}

/** Whether a schema has a part of it that the table does not have yet. */
export const hasNew = ({ type, isNew }: JsonField): boolean => isNew === true || hasNewPart(type)

function hasNewPart(type: ColumnType): boolean {
  if (typeof type === 'string') return false
  return 'struct' in type ? type.struct.some(hasNew) : 'list' in type && hasNewPart(type.list)
}

/** A column of the table, or a field that is to be one. */
export type KnownColumn = TableColumn & Pick<JsonField, 'takesAll' | 'isNew'>

/** Fields by their folded names. */
export type FieldIndex = ReadonlyMap<string, JsonField>

const indexes = new WeakMap<readonly Field[], FieldIndex>()

export function indexOf(fields: readonly Field[]): FieldIndex {
  let index = indexes.get(fields)
  if (index === undefined) {
    index = new Map(fields.map(field => [folded(field.name), field]))
    indexes.set(fields, index)
  }
  return index
}

function typeNamed(fields: FieldIndex, name: string, kind: 'struct' | 'list'): ColumnType | undefined {
  const type = fields.get(name)?.type
  return type !== undefined && isOf(type, kind) ? type : undefined
}

const isOf = (type: ColumnType, kind: 'struct' | 'list'): boolean => typeof type === 'object' && kind in type

function numberType(bytes: Buffer, start: number, end: number, known: ColumnType | undefined): ColumnType {
  if (known !== undefined && isHeld(bytes, start, end, known)) return known
  const text = bytes.toString('latin1', start, end)
  if (!INTEGER_LITERAL.test(text)) return Number.isFinite(Number(text)) ? 'double' : 'string'
  if (longOf(bytes, start, end) !== undefined) return 'long'
  return isHeld(bytes, start, end, WIDE) ? WIDE : 'string'
}

/** Whether a column holds the number as it is: fractions to the nearest double, all else exactly. */
function isHeld(bytes: Buffer, start: number, end: number, type: ColumnType): boolean {
  if (type === 'long') return longOf(bytes, start, end) !== undefined
  if (type === 'int') {
    const whole = longOf(bytes, start, end)
    return whole !== undefined && BigInt.asIntN(32, BigInt(whole)) === BigInt(whole)
  }
  if (typeof type === 'object') {
    return 'decimal' in type && decimalOf(bytes, start, end, type.decimal.precision, type.decimal.scale) !== undefined
  }
  if (type !== 'double' && type !== 'float') return false
  const text = bytes.toString('latin1', start, end)
  return isDouble(text) && (type === 'double' || Math.fround(Number(text)) === Number(text))
}

function isDouble(text: string): boolean {
  const number = Number(text)
  return Number.isSafeInteger(number) || (Number.isFinite(number) && !INTEGER_LITERAL.test(text))
}

function objectType(
  bytes: Buffer,
  members: readonly JsonMember[],
  known: ColumnType | undefined
): ColumnType | undefined {
  const struct = typeof known === 'object' && 'struct' in known ? known.struct : undefined
  const index = struct && indexOf(struct)
  const fields: Field[] = []
  let fits = struct !== undefined
  for (const { name, value } of members) {
    const field = index?.get(name.folded)
    const isAny = field?.takesAll === true && value.kind !== KIND.NULL
    const type = isAny ? field.type : typeOf(bytes, value, knownType(index, name.folded, value.kind))
    if (type === undefined) continue
    if (type !== field?.type) fits = false
    fields.push({ name: field?.name ?? name.name, type, nullable: true })
  }
  if (fits) return known
  return fields.length === 0 ? undefined : { struct: fields }
}

/** Values of one type are a list; others, together, are JSON text. */
function arrayType(bytes: Buffer, items: readonly JsonValue[], known: ColumnType | undefined): ColumnType | undefined {
  if (known === 'string') return known
  const knownElement = typeof known === 'object' && 'list' in known ? known.list : undefined
  let element: ColumnType | undefined
  let isMerged = false
  for (const item of items) {
    const type = typeOf(bytes, item, element ?? knownElement)
    if (type === undefined || type === element) continue
    isMerged = element !== undefined
    element = element === undefined ? type : merged(element, type)
    if (element === undefined) return 'string'
  }
  if (element === undefined) return knownElement && known
  // What came first may not fit what came of it later: a whole number that no double holds, say.
  if (isMerged && items.some(item => ![element, undefined].includes(typeOf(bytes, item, element)))) return 'string'
  if (element === knownElement) return known
  return { list: element, elementNullable: true }
}

/** A type that may hold the values of both. */
function merged(left: ColumnType, right: ColumnType): ColumnType | undefined {
  if (left === right) return left
  if (typeof left === 'object' && typeof right === 'object') {
    if ('struct' in left && 'struct' in right) return mergedStructs(left.struct, right.struct)
    if (!('list' in left && 'list' in right)) return undefined
    const list = merged(left.list, right.list)
    return list && { list, elementNullable: true }
  }
  const [a, b] = [WIDTHS.indexOf(left), WIDTHS.indexOf(right)]
  if (a >= 0 && b >= 0) return WIDTHS[Math.max(a, b)]
  if (isWhole(left) && typeof right === 'object' && 'decimal' in right) return right
  return isWhole(right) && typeof left === 'object' && 'decimal' in left ? left : undefined
}

/** A value of each may be one of any that follow. */
const WIDTHS: readonly ColumnType[] = ['int', 'long', 'float', 'double']

const isWhole = (type: ColumnType): boolean => type === 'int' || type === 'long'

function mergedStructs(left: readonly Field[], right: readonly Field[]): ColumnType | undefined {
  const fields = new Map(indexOf(left))
  for (const field of right) {
    const name = folded(field.name)
    const before = fields.get(name)
    const type = before === undefined ? field.type : merged(before.type, field.type)
    if (type === undefined) return undefined
    fields.set(name, { name: before?.name ?? field.name, type, nullable: true })
  }
  return fields.size > MAX_FIELDS ? undefined : { struct: [...fields.values()] }
}
