import type { Binding } from '../columns/binding.ts'
import { folded } from '../columns/evolve.ts'
import { isNested, type ColumnType, type Field, type Primitive } from '../columns/schema.ts'
import { stringOf } from './json-names.ts'
import { decimalOf, longOf, nearestDouble } from './json-number.ts'
import { KIND } from './json-scanner.ts'
import type { JsonValue } from './json-tree.ts'
import { indexOf } from './json-types.ts'
import { parseDateDays, timestampMicrosOf } from './timestamp.ts'

/**
 * A value as rules take it: decimals are the nearest doubles, longs bigints where they are no safe integers; null for
 * what says nothing.
 */
export const plainForRules = (bytes: Buffer, value: JsonValue, type: ColumnType): unknown =>
  plainOf(bytes, value, withoutDecimals(type), undefined)

/**
 * A value as `appendField` takes it for a column of `type`, which holds it; null for what says nothing. With bindings, parts of
 * objects have the names that they are bound to. Decimals are unscaled bigints.
 */
export function plainOf(
  bytes: Buffer,
  value: JsonValue,
  type: ColumnType,
  inner: readonly Binding[] | undefined
): unknown {
  const { kind, start, end } = value
  if (kind === KIND.NULL || kind === KIND.MISSING) return null
  if (!isNested(type)) return primitiveOf(bytes, kind, start, end, type)
  if ('list' in type) {
    return kind === KIND.ARRAY ? value.items.map(item => plainOf(bytes, item, type.list, inner)) : null
  }
  return 'struct' in type && kind === KIND.OBJECT ? structOf(bytes, value, type.struct, inner) : null
}

function structOf(
  bytes: Buffer,
  { members }: JsonValue,
  fields: readonly Field[],
  inner: readonly Binding[] | undefined
): unknown {
  // Without a prototype: `constructor` and `__proto__` are keys like others.
  const struct = Object.create(null) as Record<string, unknown>
  const [bindings, targets] = [inner && bindingsOf(inner), indexOf(fields)]
  for (const { name, value } of members) {
    const binding = bindings?.get(name.folded)
    if (bindings !== undefined && binding === undefined) continue
    const field = targets.get(binding === undefined ? name.folded : folded(binding.target))
    if (field !== undefined) struct[field.name] = plainOf(bytes, value, field.type, binding?.inner)
  }
  return struct
}

const indexes = new WeakMap<readonly Binding[], ReadonlyMap<string, Binding>>()

/** By the folded names of what is bound. */
function bindingsOf(inner: readonly Binding[]): ReadonlyMap<string, Binding> {
  let index = indexes.get(inner)
  if (index === undefined) {
    index = new Map(inner.map(binding => [folded(binding.source), binding]))
    indexes.set(inner, index)
  }
  return index
}

function primitiveOf(bytes: Buffer, kind: number, start: number, end: number, type: Primitive): unknown {
  if (type === 'string') return textOf(bytes, kind, start, end)
  if (type === 'timestamp') return kind === KIND.STRING ? (timestampMicrosOf(bytes, start, end) ?? null) : null
  if (type === 'date')
    return kind === KIND.STRING ? (parseDateDays(bytes.toString('latin1', start, end)) ?? null) : null
  if (type === 'uuid') return kind === KIND.STRING ? bytes.toString('latin1', start, end) : null
  if (type === 'boolean') return kind === KIND.TRUE || kind === KIND.FALSE ? kind === KIND.TRUE : null
  if (kind !== KIND.NUMBER) return null
  if (type === 'long') return longOf(bytes, start, end)
  if (typeof type === 'string') return nearestDouble(bytes, start, end)
  if (!('decimal' in type)) return null
  const unscaled = decimalOf(bytes, start, end, type.decimal.precision, type.decimal.scale)
  return unscaled === undefined ? null : BigInt(unscaled)
}

/** The text of a string, the JSON text of anything else. */
export const textOf = (bytes: Buffer, kind: number, start: number, end: number): string =>
  kind === KIND.ESCAPED ? stringOf(bytes, start, end) : bytes.toString('utf8', start, end)

/** Doubles instead. */
function withoutDecimals(type: ColumnType): ColumnType {
  if (typeof type === 'string') return type
  if ('decimal' in type) return 'double'
  if ('struct' in type) return { struct: type.struct.map(field => ({ ...field, type: withoutDecimals(field.type) })) }
  return 'list' in type ? { ...type, list: withoutDecimals(type.list) } : type
}
