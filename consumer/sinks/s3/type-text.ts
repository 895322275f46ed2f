import { isNested, type ColumnType, type Field, type Primitive } from '../../columns/schema.ts'

/** A type in words: the same exactly when objects hold the same. */
export function typeText(type: ColumnType): string {
  if (!isNested(type)) {
    if (typeof type === 'string') return type
    return 'fixed' in type ? `fixed(${type.fixed})` : `decimal(${type.decimal.precision}, ${type.decimal.scale})`
  }
  if ('list' in type) return `list<${typeText(type.list)}>`
  if ('map' in type) return `map<${typeText(type.map.key)}, ${typeText(type.map.value)}>`
  return `struct<${type.struct.map(({ name, type: inner }) => `${JSON.stringify(name)}: ${typeText(inner)}`).join(', ')}>`
}

/** The reverse, everything within nullable; undefined for a type that we do not write. */
export function parseType(text: string): ColumnType | undefined {
  const parser = new Parser(text)
  const type = parser.type(0)
  return parser.isAtEnd ? type : undefined
}

const NAMED: ReadonlySet<string> = new Set([
  'string',
  'binary',
  'int',
  'long',
  'float',
  'double',
  'boolean',
  'timestamp',
  'timestampNtz',
  'time',
  'date',
  'uuid'
] satisfies readonly Primitive[])

const WORD = /[a-zA-Z]+/y
const DIGITS = /\(([1-9]\d?), (\d{1,2})\)/y
const SIZE = /\(([1-9]\d{0,8})\)/y
const NAME = /"(?:[^"\\]|\\.)*"/y
/** Schemas have no more levels. */
const MAX_DEPTH = 100

/** Whatever is not as it should be ends it, so that the text has no end where it should. */
class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  type(depth: number): ColumnType | undefined {
    const [word = ''] = this.#match(WORD) ?? []
    if (depth > MAX_DEPTH) return undefined
    if (NAMED.has(word)) return word as Primitive
    switch (word) {
      case 'decimal': {
        const [, precision, scale] = this.#match(DIGITS) ?? []
        return precision === undefined ? undefined : { decimal: { precision: Number(precision), scale: Number(scale) } }
      }
      case 'fixed': {
        const [, bytes] = this.#match(SIZE) ?? []
        return bytes === undefined ? undefined : { fixed: Number(bytes) }
      }
      case 'list': {
        const list = this.#skip('<') ? this.type(depth + 1) : undefined
        return list !== undefined && this.#skip('>') ? { list, elementNullable: true } : undefined
      }
      case 'map': {
        const key = this.#skip('<') ? this.type(depth + 1) : undefined
        const value = this.#skip(', ') ? this.type(depth + 1) : undefined
        if (key === undefined || value === undefined || !this.#skip('>')) return undefined
        return { map: { key, value, valueNullable: true } }
      }
      case 'struct':
        return this.#struct(depth)
      default:
        return undefined
    }
  }

  #struct(depth: number): ColumnType | undefined {
    if (!this.#skip('<')) return undefined
    const struct: Field[] = []
    do {
      const [name] = this.#match(NAME) ?? []
      const type = name !== undefined && this.#skip(': ') ? this.type(depth + 1) : undefined
      if (name === undefined || type === undefined) return undefined
      struct.push({ name: JSON.parse(name) as string, type, nullable: true })
    } while (this.#skip(', '))
    return this.#skip('>') ? { struct } : undefined
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }

  #skip(text: string): boolean {
    const isThere = this.#text.startsWith(text, this.#at)
    if (isThere) this.#at += text.length
    return isThere
  }
}

/**
 * A type that both objects of the one and of the other can be read as: the same, but for fields of structs that only one of them
 * has, which the other has nothing for. Undefined when there is none. Gives `existing` itself when it has all.
 */
export function joinedType(existing: ColumnType, ours: ColumnType): ColumnType | undefined {
  if (!isNested(existing) || !isNested(ours)) return typeText(existing) === typeText(ours) ? existing : undefined
  if ('struct' in existing) return 'struct' in ours ? joinedStruct(existing, ours.struct) : undefined
  if ('list' in existing) {
    const list = 'list' in ours ? joinedType(existing.list, ours.list) : undefined
    return list === existing.list ? existing : list && { ...existing, list }
  }
  if (!('map' in ours) || typeText(existing.map.key) !== typeText(ours.map.key)) return undefined
  const value = joinedType(existing.map.value, ours.map.value)
  return value === existing.map.value ? existing : value && { map: { ...existing.map, value } }
}

function joinedStruct(existing: { readonly struct: readonly Field[] }, ours: readonly Field[]): ColumnType | undefined {
  const left = new Map(ours.map(field => [field.name.toLowerCase(), field]))
  const struct: Field[] = []
  for (const field of existing.struct) {
    const other = left.get(field.name.toLowerCase())
    left.delete(field.name.toLowerCase())
    const type = other === undefined ? field.type : joinedType(field.type, other.type)
    // Spelled otherwise it would be a field of its own to some readers.
    if (type === undefined || (other !== undefined && other.name !== field.name)) return undefined
    struct.push(type === field.type ? field : { ...field, type })
  }
  const isSame = left.size === 0 && struct.every((field, index) => field === existing.struct[index])
  return isSame ? existing : { struct: [...struct, ...left.values()] }
}
