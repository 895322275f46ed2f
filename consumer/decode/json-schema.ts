import { SCHEMA_LIMITS, SchemaError } from '../schema-limits.ts'
import { folded } from '../columns/evolve.ts'
import type { ColumnType } from '../columns/schema.ts'
import { columnNameOf } from './json-names.ts'
import type { JsonField } from './json-types.ts'

/** A table has no more columns, and so a schema none for more. */
const MAX_COLUMNS = 1000

type Node = Readonly<Record<string, unknown>>

/** A schema and what its references are relative to. */
interface Document {
  readonly root: unknown
  readonly id: string | undefined
}

/** TEXT: a column of text that takes any value, as its JSON. Undefined: the schema does not tell, values do. */
type Found = ColumnType | typeof TEXT | undefined
const TEXT = Symbol('text')

/** What a schema says of the values of a topic. */
export interface JsonSchemaFields {
  readonly fields: readonly JsonField[]
  readonly title: string | undefined
}

/**
 * The columns of a JSON Schema (drafts 4 to 2020-12), as far as it tells their types; nothing else of it is looked at.
 * `references` by the URIs that the schema refers to them by. SchemaError for what is no schema, or has no end.
 */
export function jsonSchemaFields(
  text: string,
  references: readonly { readonly name: string; readonly text: string }[]
): JsonSchemaFields {
  const documents = new Map<string, Document>()
  for (const { name, text } of references) {
    const document = documentOf(text)
    documents.set(name, document)
    if (document.id !== undefined) documents.set(document.id, document)
  }
  const own = documentOf(text)
  const fields = new Reader(documents).top(own)
  const title = isNode(own.root) && typeof own.root['title'] === 'string' ? own.root['title'] : undefined
  return { fields, title }
}

function documentOf(text: string): Document {
  if (text.length > SCHEMA_LIMITS.bytes) throw new SchemaError(`the schema is longer than ${SCHEMA_LIMITS.bytes} bytes`)
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    throw new SchemaError('the schema is not JSON')
  }
  const id = isNode(root) ? (root['$id'] ?? root['id']) : undefined
  return { root, id: typeof id === 'string' ? id.replace(/#$/, '') : undefined }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

class Reader {
  readonly #documents: ReadonlyMap<string, Document>
  /** Nodes that the one in hand lies in. */
  readonly #above: Node[] = []
  #parts = 0
  #columns = 0

  constructor(documents: ReadonlyMap<string, Document>) {
    this.#documents = documents
  }

  top(document: Document): readonly JsonField[] {
    const found = this.#members(document.root, document, new Map())
    return found === undefined ? [] : this.#fields(found)
  }

  #fields(members: Members): readonly JsonField[] {
    const fields = new Map<string, JsonField>()
    for (const [key, { node, document }] of members) {
      const name = columnNameOf(key)
      if (name === undefined || fields.has(folded(name))) continue
      const found = this.#type(node, document)
      if (found === undefined) continue
      const type = found === TEXT ? 'string' : found
      if (!(typeof type === 'object' && 'struct' in type) && ++this.#columns > MAX_COLUMNS)
        throw new SchemaError(`the schema has more than ${MAX_COLUMNS} columns`)
      const doc = isNode(node) && typeof node['description'] === 'string' ? { comment: node['description'] } : {}
      fields.set(folded(name), { name, type, nullable: true, ...doc, ...(found === TEXT ? { takesAll: true } : {}) })
    }
    return [...fields.values()]
  }

  #count(): void {
    if (++this.#parts > SCHEMA_LIMITS.types)
      throw new SchemaError('the schema has too many parts, its references unfolded')
  }

  #type(node: unknown, document: Document): Found {
    if (!isNode(node)) return undefined
    this.#count()
    // What contains itself has no end.
    if (this.#above.includes(node) || this.#above.length > SCHEMA_LIMITS.depth) return TEXT
    this.#above.push(node)
    const found = this.#typeOf(node, document)
    this.#above.pop()
    return found
  }

  #typeOf(node: Node, document: Document): Found {
    const { $ref } = node
    if (typeof $ref === 'string') {
      const target = this.#resolve($ref, document)
      return this.#type(target.node, target.document)
    }
    const branches = node['oneOf'] ?? node['anyOf']
    if (Array.isArray(branches)) return this.#union(branches, document)
    const types = typesOf(node)
    const [type] = types
    if (types.length > 1) return types.every(isNumber) ? 'double' : TEXT
    switch (type) {
      case 'string':
        return FORMATS.get(node['format']) ?? 'string'
      case 'integer':
        return 'long'
      case 'number':
        return 'double'
      case 'boolean':
        return 'boolean'
      case 'array':
        return this.#list(node, document)
      case 'object':
      case undefined:
        return this.#object(node, document, type)
      default:
        return undefined
    }
  }

  #list(node: Node, document: Document): Found {
    if (Array.isArray(node['items']) || node['prefixItems'] !== undefined) return TEXT
    const items = this.#type(node['items'], document)
    return items === undefined || items === TEXT ? items : { list: items, elementNullable: true }
  }

  #object(node: Node, document: Document, type: string | undefined): Found {
    const members = this.#members(node, document, new Map())
    if (members !== undefined && members.size > 0) {
      const fields = this.#fields(members)
      return fields.length === 0 ? undefined : { struct: fields }
    }
    // Keys that are data would become columns.
    const isMap = isNode(node['additionalProperties']) || isNode(node['patternProperties'])
    return type === 'object' && isMap ? TEXT : undefined
  }

  #union(branches: readonly unknown[], document: Document): Found {
    const others = branches.filter(branch => !(isNode(branch) && isNull(branch)))
    const [first, ...more] = others.map(branch => this.#type(branch, document))
    const form = (found: Found) => (found === TEXT ? 'text' : JSON.stringify(found))
    return more.every(each => form(each) === form(first)) ? first : TEXT
  }

  /** Properties of an object and of all that it is composed of; undefined when it is none. */
  #members(node: unknown, document: Document, into: Map<string, Member>, depth = 0): Members | undefined {
    if (!isNode(node) || depth > SCHEMA_LIMITS.depth) return undefined
    this.#count()
    const { $ref, properties, allOf } = node
    if (typeof $ref === 'string') {
      const target = this.#resolve($ref, document)
      return this.#members(target.node, target.document, into, depth + 1)
    }
    if (isNode(properties))
      for (const [key, property] of Object.entries(properties)) into.set(key, { node: property, document })
    if (Array.isArray(allOf)) for (const part of allOf) this.#members(part, document, into, depth + 1)
    return into
  }

  /** RFC 6901 pointers into the schema itself, and into others by their URIs. */
  #resolve(ref: string, from: Document): Member {
    const [uri = '', pointer = ''] = ref.split('#', 2)
    const document = uri === '' ? from : (this.#documents.get(uri) ?? this.#documents.get(absolute(uri, from.id)))
    let node = document?.root
    for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
      const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
      node = typeof node === 'object' && node !== null && Object.hasOwn(node, key) ? (node as Node)[key] : undefined
    }
    if (document === undefined || node === undefined || (pointer !== '' && !pointer.startsWith('/')))
      throw new SchemaError(`it refers to ${ref}, which is not there`)
    return { node, document }
  }
}

interface Member {
  readonly node: unknown
  readonly document: Document
}

type Members = ReadonlyMap<string, Member>

/** In Delta, UUIDs are text. Times have offsets, which columns of time have not. */
const FORMATS = new Map<unknown, ColumnType>([
  ['date-time', 'timestamp'],
  ['date', 'date'],
  ['uuid', 'uuid']
])

/** The types a value may have by `type`, `const` and `enum`, null aside. */
function typesOf(node: Node): readonly string[] {
  const { type } = node
  const values = 'const' in node ? [node['const']] : Array.isArray(node['enum']) ? (node['enum'] as unknown[]) : []
  const told = typeof type === 'string' ? [type] : Array.isArray(type) ? type.map(String) : values.map(typeOfValue)
  return [...new Set(told)].filter(each => each !== 'null')
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

const isNumber = (type: string): boolean => type === 'integer' || type === 'number'

const isNull = (node: Node): boolean => node['type'] === 'null' || ('const' in node && node['const'] === null)

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const absolute = (uri: string, base: string | undefined): string =>
  URL.canParse(uri, base) ? new URL(uri, base).href : uri
