import type { SettledSchema } from '../../crds/settled.ts'
import type { TableColumn } from '../sink.ts'
import type { Binding } from './binding.ts'
import { MAX_PRECISION } from './decimal.ts'
import { isNested, type ColumnType, type Field, type Primitive } from './schema.ts'

/** Columns of a table, counted in leaves: beyond it every file would be mostly footer. */
export const MAX_COLUMNS = 1_000

export interface MergeOptions {
  readonly onIncompatible: SettledSchema['onIncompatible']
  /**
   * Names, as `folded` gives them, that top-level fields cannot take: those of metadata, lifted and other columns of
   * the pipeline's own.
   */
  readonly reserved: ReadonlySet<string>
  /** Whether the sink may make an existing column wider. */
  readonly canWiden: boolean
  /** Whether columns have small letters only (`Growth.foldsNames`). */
  readonly foldsNames?: boolean | undefined
}

/** How fields land in a table, and what its columns must be for that. */
export interface Merge {
  /**
   * The columns that the fields are bound to, in the order of the fields: those the table has as wide as they must be,
   * others new.
   */
  readonly fields: readonly Field[]
  readonly bindings: readonly Binding[]
  /**
   * What cannot land anywhere, each a sentence's beginning with the field's name; then no record of these fields can be
   * a row.
   */
  readonly conflicts: readonly string[]
}

/** Engines take `Id` and `id` for one column. */
export const folded = (name: string): string => name.toLowerCase()

/**
 * Finds each incoming field its column: the one of its name if that holds the field's type or can be widened to it,
 * else a new one. Columns never lose anything, and what is new may be null at every depth. Decided by the arguments
 * alone, so that all consumers that see one state of a table agree; merging what was merged changes nothing.
 */
export function mergeFields(current: readonly TableColumn[], incoming: readonly Field[], options: MergeOptions): Merge {
  const merger = new Merger(options, MAX_COLUMNS - leavesOf(current.map(({ type }) => type)))
  const { fields, bindings } = merger.level(current, incoming, '', options.reserved)
  return { fields, bindings, conflicts: merger.conflicts }
}

interface Landing {
  readonly field: Field
  readonly binding: Binding
}

interface MergedType {
  readonly type: ColumnType
  readonly inner: readonly Binding[] | undefined
}

/** New columns that were tried for one field before giving up. */
const MAX_TRIES = 100
const MOST_DIGITS: Primitive = { decimal: { precision: MAX_PRECISION, scale: 0 } }
const NO_NAMES: ReadonlySet<string> = new Set()
const NAME = /^[\p{L}\p{M}\p{N}_]+$/u

class Merger {
  readonly conflicts: string[] = []
  readonly #options: MergeOptions
  #leavesLeft: number

  constructor(options: MergeOptions, leavesLeft: number) {
    this.#options = options
    this.#leavesLeft = leavesLeft
  }

  /** The fields of the top level or of one struct. `prefix` ends with a point, or is empty. */
  level(
    current: readonly TableColumn[],
    incoming: readonly Field[],
    prefix: string,
    reserved: ReadonlySet<string>
  ): { readonly fields: readonly Field[]; readonly bindings: readonly Binding[] } {
    const known = new Map(current.map(column => [folded(column.name), column]))
    const taken = new Set(reserved)
    // Who has the name comes before who would move there.
    const landings = incoming.map(field => this.#land(field, field.name, known, taken, prefix))
    const found = landings.map((landing, index) => landing ?? this.#elsewhere(incoming[index], known, taken, prefix))
    const landed = found.filter(landing => landing !== undefined)
    return { fields: landed.map(({ field }) => field), bindings: landed.map(({ binding }) => binding) }
  }

  /** In the column of the wanted name, unless that is taken or of another kind. */
  #land(
    field: Field,
    wanted: string,
    known: ReadonlyMap<string, TableColumn>,
    taken: Set<string>,
    prefix: string
  ): Landing | undefined {
    // As it comes back from capital letters: some letters have none of their own.
    const name = this.#options.foldsNames === true && prefix === '' ? wanted.toUpperCase().toLowerCase() : wanted
    const key = folded(name)
    if (taken.has(key) || !NAME.test(name)) return undefined
    const column = known.get(key)
    if (column !== undefined && column.type === undefined) return undefined
    const target = column?.name ?? name
    const isJson = (column ?? field).isJson === true
    // A column of JSON takes anything, another no JSON.
    if (!isJson && field.isJson === true) return undefined
    const type = isJson ? 'string' : field.type
    const current = column?.isWhole === true && isSame(type, MOST_DIGITS) ? type : column?.type
    const merged = this.#merged(current, type, `${prefix}${target}`)
    if (merged === undefined) return undefined
    taken.add(key)
    const { comment, unbounded } = field
    const notes = {
      ...(comment === undefined ? {} : { comment }),
      ...(unbounded === undefined ? {} : { unbounded }),
      ...(isJson ? { isJson } : {})
    }
    const inner = merged.inner === undefined ? {} : { inner: merged.inner }
    return {
      field: { name: target, type: merged.type, nullable: true, ...notes },
      binding: { source: field.name, target, ...inner }
    }
  }

  #elsewhere(
    field: Field | undefined,
    known: ReadonlyMap<string, TableColumn>,
    taken: Set<string>,
    prefix: string
  ): Landing | undefined {
    if (field === undefined) return undefined
    const type = field.isJson === true ? 'variant' : typeName(field.type)
    if (this.#options.onIncompatible === 'NewColumn') {
      for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
        const name = `${field.name}_${type}${attempt === 1 ? '' : `_${attempt}`}`
        const landing = this.#land(field, name, known, taken, prefix)
        if (landing !== undefined) return landing
      }
    }
    const column = known.get(folded(field.name))
    const why =
      this.#leavesLeft <= 0 && column === undefined
        ? `would be one column too many (${MAX_COLUMNS} are the most)`
        : column === undefined || taken.has(folded(field.name))
          ? 'has the name of another column'
          : `is ${type}, which the column of its name${column.type === undefined ? '' : ` (${typeName(column.type)})`} cannot take`
    this.conflicts.push(`${prefix}${field.name} ${why}`)
    return undefined
  }

  /** A type that holds both; undefined when none does. */
  #merged(current: ColumnType | undefined, incoming: ColumnType, path: string): MergedType | undefined {
    if (!isNested(incoming)) {
      if (current === undefined) return this.#grow() ? { type: incoming, inner: undefined } : undefined
      if (isNested(current)) return undefined
      const type = widest(current, incoming)
      const fits = type !== undefined && (this.#options.canWiden || isSame(type, current))
      return fits ? { type, inner: undefined } : undefined
    }
    if ('struct' in incoming) {
      if (current !== undefined && !(isNested(current) && 'struct' in current)) return undefined
      return this.#struct(current?.struct ?? [], incoming.struct, path)
    }
    if ('list' in incoming) {
      if (current !== undefined && !(isNested(current) && 'list' in current)) return undefined
      const element = this.#merged(current?.list, incoming.list, path)
      return element && { type: { list: element.type, elementNullable: true }, inner: element.inner }
    }
    if (current !== undefined && !(isNested(current) && 'map' in current)) return undefined
    return this.#map(current?.map, incoming.map, path)
  }

  #struct(current: readonly Field[], incoming: readonly Field[], path: string): MergedType | undefined {
    const { fields, bindings } = this.level(current, incoming, `${path}.`, NO_NAMES)
    const found = new Map(fields.map(field => [field.name, field]))
    const kept = current.map(field => found.get(field.name) ?? { ...field, type: optional(field.type), nullable: true })
    const names = new Set(current.map(({ name }) => name))
    // Files cannot hold a struct of nothing.
    if (kept.length + fields.length === 0) return undefined
    return { type: { struct: [...kept, ...fields.filter(({ name }) => !names.has(name))] }, inner: bindings }
  }

  /** Keys stay as they are: they are never null, and engines do not agree on promoting them. */
  #map(current: MapParts | undefined, incoming: MapParts, path: string): MergedType | undefined {
    const { key } = incoming
    if (isNested(key) || (current !== undefined && isNested(current.key))) return undefined
    const wider = current === undefined || isNested(current.key) ? key : widest(current.key, key)
    if (wider === undefined || (current !== undefined && !isSame(wider, current.key))) return undefined
    if (current === undefined && !this.#grow()) return undefined
    const value = this.#merged(current?.value, incoming.value, path)
    return value && { type: { map: { key: wider, value: value.type, valueNullable: true } }, inner: value.inner }
  }

  /** Counts a new leaf, if there may be one more. */
  #grow(): boolean {
    if (this.#leavesLeft <= 0) return false
    this.#leavesLeft--
    return true
  }
}

type MapParts = Extract<ColumnType, { readonly map: unknown }>['map']

/** The promotions of the Iceberg specification, in both directions: the wider of the two, if one is. */
function widest(a: Primitive, b: Primitive): Primitive | undefined {
  if (isSame(a, b)) return a
  if (typeof a === 'object' || typeof b === 'object') {
    if (typeof a !== 'object' || typeof b !== 'object' || 'fixed' in a || 'fixed' in b) return undefined
    if (a.decimal.scale !== b.decimal.scale) return undefined
    return a.decimal.precision > b.decimal.precision ? a : b
  }
  for (const [narrow, wide] of [
    ['int', 'long'],
    ['float', 'double']
  ] as const) {
    if ((a === narrow && b === wide) || (a === wide && b === narrow)) return wide
  }
  return undefined
}

function isSame(a: ColumnType, b: ColumnType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  if ('decimal' in a && 'decimal' in b)
    return a.decimal.precision === b.decimal.precision && a.decimal.scale === b.decimal.scale
  return 'fixed' in a && 'fixed' in b && a.fixed === b.fixed
}

/** The type with everything in it nullable. */
export function optional(type: ColumnType): ColumnType {
  if (!isNested(type)) return type
  if ('struct' in type)
    return { struct: type.struct.map(field => ({ ...field, type: optional(field.type), nullable: true })) }
  if ('list' in type) return { list: optional(type.list), elementNullable: true }
  const { key, value } = type.map
  return { map: { key, value: optional(value), valueNullable: true } }
}

/** As a part of a column's name, and for people: `decimal_12_2`. */
export function typeName(type: ColumnType): string {
  if (typeof type === 'string') return type === 'timestampNtz' ? 'timestamp_ntz' : type
  if ('decimal' in type) return `decimal_${type.decimal.precision}_${type.decimal.scale}`
  if ('fixed' in type) return `fixed_${type.fixed}`
  return 'struct' in type ? 'struct' : 'list' in type ? 'list' : 'map'
}

function leavesOf(types: readonly (ColumnType | undefined)[]): number {
  return types.reduce((sum, type) => sum + leaves(type), 0)
}

function leaves(type: ColumnType | undefined): number {
  if (type === undefined || !isNested(type)) return 1
  if ('struct' in type) return leavesOf(type.struct.map(field => field.type))
  return 'list' in type ? leaves(type.list) : leaves(type.map.key) + leaves(type.map.value)
}
