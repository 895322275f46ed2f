import { dialectOf } from '../../consumer/columns/dialect.ts'
import { formatDecimal } from '../../consumer/columns/decimal.ts'
import { folded, typeName } from '../../consumer/columns/evolve.ts'
import { isNested, type ColumnType, type Field } from '../../consumer/columns/schema.ts'

/**
 * A row as another project reads it, in plain JSON that tells types apart: whole numbers `i:1`, text `s:a`, bytes
 * `x:00`, decimals `n:1.5`, days `d:1`, microseconds `T:` (UTC), `N:` (no zone) and `t:` (of a day), UUIDs `u:`;
 * numbers and booleans as they are; maps as lists of pairs.
 */
export type ReadRow = Readonly<Record<string, unknown>>

export interface Expected {
  readonly kind: 'delta' | 'iceberg'
  /** The reader takes null lists and maps for empty ones. */
  readonly emptiesNulls: boolean
  readonly fields: readonly Field[]
  readonly values: Readonly<Record<string, unknown>>
}

/**
 * Why a row is not what was produced; undefined when it is. A field is in the column of its name, or in one named after its type;
 * nothing else is there.
 */
export function difference(
  { kind, emptiesNulls, fields, values }: Expected,
  row: ReadRow,
  own: ReadonlySet<string>
): string | undefined {
  const read = Object.fromEntries(Object.entries(row).filter(([name]) => !own.has(folded(name))))
  return new Judge(kind, emptiesNulls).struct(fields, values, read, '')
}

class Judge {
  readonly #kind: 'delta' | 'iceberg'
  readonly #emptiesNulls: boolean

  constructor(kind: 'delta' | 'iceberg', emptiesNulls: boolean) {
    this.#kind = kind
    this.#emptiesNulls = emptiesNulls
  }

  struct(
    fields: readonly Field[],
    values: Readonly<Record<string, unknown>>,
    read: ReadRow,
    path: string
  ): string | undefined {
    const left = new Map(Object.entries(read).filter(([, value]) => !this.#isNothing(value)))
    for (const { name, type } of fields) {
      const value = values[name]
      if (this.#isNothing(value)) continue
      const moved = `${folded(name)}_${typeName(dialectOf(this.#kind).type(type))}`
      const isHome = (column: string) => folded(column) === folded(name)
      const candidates = [...left.keys()].filter(column => isHome(column) || folded(column).startsWith(moved))
      const found = candidates.sort(a => (isHome(a) ? -1 : 1)).find(column => this.#same(type, value, left.get(column)))
      if (found === undefined)
        return `${path}${name} (${typeName(type)}) is ${shown(value)}, read were ${shown(candidates.map(each => [each, left.get(each)]))}`
      left.delete(found)
    }
    return left.size === 0 ? undefined : `${path} has more than was produced: ${shown([...left])}`
  }

  #same(type: ColumnType, value: unknown, read: unknown): boolean {
    if (this.#isNothing(value) || this.#isNothing(read)) return this.#isNothing(value) && this.#isNothing(read)
    if (!isNested(type)) {
      const expected = this.#plain(type, value)
      return typeof expected === 'number' ? Math.fround(expected) === read || expected === read : expected === read
    }
    if ('struct' in type)
      return this.struct(type.struct, value as Record<string, unknown>, read as ReadRow, '') === undefined
    const items = read as readonly unknown[]
    if ('list' in type) {
      const wanted = value as readonly unknown[]
      return wanted.length === items.length && wanted.every((item, index) => this.#same(type.list, item, items[index]))
    }
    const wanted = [...(value as ReadonlyMap<string, unknown>)]
    const pairs = new Map(items as readonly (readonly [string, unknown])[])
    return (
      wanted.length === pairs.size &&
      wanted.every(([key, item]) => this.#same(type.map.value, item, pairs.get(`s:${key}`)))
    )
  }

  #isNothing(value: unknown): boolean {
    if (value === null || value === undefined) return true
    if (!this.#emptiesNulls) return false
    return value instanceof Map ? value.size === 0 : Array.isArray(value) && value.length === 0
  }

  #plain(type: ColumnType, value: unknown): unknown {
    if (typeof type === 'object') {
      if ('decimal' in type) return `n:${formatDecimal(value as bigint, type.decimal.scale)}`
      return `x:${(value as Buffer).toString('hex')}`
    }
    const prefix =
      this.#kind === 'delta' && type === 'time' ? 'i:' : this.#kind === 'delta' && type === 'uuid' ? 's:' : PREFIX[type]
    if (prefix === undefined) return value
    return `${prefix}${Buffer.isBuffer(value) ? value.toString('hex') : String(value)}`
  }
}

const PREFIX: Readonly<Partial<Record<string, string>>> = {
  string: 's:',
  binary: 'x:',
  int: 'i:',
  long: 'i:',
  date: 'd:',
  timestamp: 'T:',
  timestampNtz: 'N:',
  time: 't:',
  uuid: 'u:'
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? String(each) : each instanceof Map ? [...(each as Map<unknown, unknown>)] : each
  )

/** Whether two types may be one column's, by the rules of the formats. */
export function compatible(a: ColumnType, b: ColumnType): boolean {
  if (!isNested(a) || !isNested(b)) return !isNested(a) && !isNested(b) && kindOf(a) === kindOf(b)
  if ('struct' in a && 'struct' in b) {
    const others = new Map(b.struct.map(field => [folded(field.name), field.type]))
    return a.struct.every(field => {
      const other = others.get(folded(field.name))
      return other === undefined || compatible(field.type, other)
    })
  }
  if ('list' in a && 'list' in b) return compatible(a.list, b.list)
  return 'map' in a && 'map' in b && compatible(a.map.value, b.map.value)
}

function kindOf(type: ColumnType): string {
  if (type === 'int' || type === 'long') return 'integer'
  if (type === 'float' || type === 'double') return 'float'
  return typeof type === 'object' && 'decimal' in type ? `decimal ${type.decimal.scale}` : typeName(type)
}
