import { createRequire } from 'node:module'
import type * as Protobufjs from 'protobufjs'
import type { AnyNestedObject, INamespace, IParserResult, NamespaceBase, Field, MapField, Root, Type } from 'protobufjs'
import { SchemaError } from '../schema-limits.ts'
import type { ProtoEnum, ProtoField, ProtoFile, ProtoImport, ProtoMessage, ProtoType, ScalarKind } from './type.ts'

/** Schemas come from outside: more text than this is not read. */
const MAX_TEXT_LENGTH = 1 << 20
const MAX_MESSAGES = 500
const OPTIONS = { keepCase: true, alternateCommentMode: true } as const

/** Synchronous and only when a schema is there to be read: the library takes time and memory that others need not spend. */
const require = createRequire(import.meta.url)
const library = (): typeof Protobufjs => require('protobufjs') as typeof Protobufjs

/**
 * Reads a .proto file, any edition up to 2023. The files of `google/protobuf/` and `confluent/` are known, others are imported by
 * name. Nothing in the text is run or becomes code. SchemaError for what is not well-formed or complete.
 */
export function parseProto(text: string, imports: readonly ProtoImport[]): ProtoFile {
  const { parse, Root, ReflectionObject } = library()
  const all = [text, ...imports.map(each => each.text)]
  if (all.some(each => each.length > MAX_TEXT_LENGTH))
    throw new SchemaError(`the schema is longer than ${MAX_TEXT_LENGTH} characters`)
  // The library passes over it without a word.
  if (all.some(each => each.includes('__proto__'))) throw new SchemaError('the name __proto__ is not read')
  try {
    const root = new Root()
    const wanted = new Set<string>()
    const own = imports.filter(({ name }) => !isBuiltIn(name))
    // A file may be known by several names.
    for (const each of new Set([...own.map(each => each.text), text]))
      for (const name of importsOf(parse(each, root, OPTIONS))) wanted.add(name)
    for (const name of wanted) addBuiltIn(root, name)
    root.resolveAll()
    // By itself, since files of one package share its namespace; what is declared first comes first.
    const alone = new Root()
    const { package: packageName = '' } = parse(text, alone, OPTIONS)
    const namespace = packageName === '' ? alone : alone.lookup(`.${packageName}`)
    if (!(namespace instanceof ReflectionObject)) throw new SchemaError('the schema has no messages')
    return new ParsedFile(root, namespace as NamespaceBase)
  } catch (error) {
    if (error instanceof SchemaError) throw error
    // The library throws errors of many classes for bad text, and nothing else can be wrong with it.
    throw new SchemaError(`it is no complete .proto file: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const importsOf = ({ imports = [], weakImports = [] }: IParserResult): readonly string[] => [...imports, ...weakImports]

/** `google/protobuf/timestamp.proto` and its like, which no registry needs to hold. */
const isBuiltIn = (name: string): boolean => name.startsWith('google/protobuf/') || name in CONFLUENT

/** Those that the library keeps beside its code, since options and schemas of schemas are rarely needed. */
const BESIDE = ['api', 'descriptor', 'source_context', 'type']

const CONFLUENT: Readonly<Record<string, string>> = {
  'confluent/meta.proto': `syntax = "proto3"; package confluent;
    message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }`,
  'confluent/type/decimal.proto': `syntax = "proto3"; package confluent.type;
    message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`
}

function addBuiltIn(root: Root, name: string): void {
  const { common, parse } = library()
  const text = CONFLUENT[name]
  if (text !== undefined) parse(text, root, OPTIONS)
  const beside = BESIDE.find(each => name === `google/protobuf/${each}.proto`)
  const found =
    beside === undefined ? common.get(name) : (require(`protobufjs/google/protobuf/${beside}.json`) as INamespace)
  const nested = found?.nested as Namespaces | undefined
  // One at a time: files share types, and what is there may not be added again.
  for (const [type, json] of Object.entries(nested?.google.nested.protobuf.nested ?? {}))
    if (root.lookup(`.google.protobuf.${type}`) === null)
      root.addJSON({ google: { nested: { protobuf: { nested: { [type]: json } } } } })
}

interface Namespaces {
  readonly google: {
    readonly nested: { readonly protobuf: { readonly nested: Readonly<Record<string, AnyNestedObject>> } }
  }
}

class ParsedFile implements ProtoFile {
  readonly #root: Root
  readonly #alone: NamespaceBase
  readonly #messages = new Map<Type, ProtoMessage>()
  readonly #enums = new Map<object, ProtoEnum>()

  constructor(root: Root, alone: NamespaceBase) {
    this.#root = root
    this.#alone = alone
  }

  message(path: readonly number[]): ProtoMessage | undefined {
    if (path.length === 0) return undefined
    const { Type } = library()
    let found = this.#alone
    for (const index of path) {
      const next = found.nestedArray.filter(each => each instanceof Type)[index]
      if (next === undefined) return undefined
      found = next
    }
    const type = this.#root.lookupType(found.fullName)
    return this.#message(type)
  }

  #message(type: Type): ProtoMessage {
    const known = this.#messages.get(type)
    if (known !== undefined) return known
    if (this.#messages.size >= MAX_MESSAGES)
      throw new SchemaError(`it uses more than ${MAX_MESSAGES} types of messages`)
    const fields: ProtoField[] = []
    const message: ProtoMessage = { kind: 'message', name: type.fullName.replace(/^\./, ''), fields }
    // Before its fields, among which it may be.
    this.#messages.set(type, message)
    for (const field of type.fieldsArray)
      // Extensions are not in the schema of their message: they are unknown fields.
      if (!field.declaringField && !field.extend) fields.push(this.#field(field))
    return message
  }

  #field(field: Field): ProtoField {
    const { partOf } = field
    return {
      name: field.name,
      number: field.id,
      doc: field.comment ?? undefined,
      label: labelOf(field),
      type: this.#type(field),
      key: field.map ? ((field as unknown as MapField).keyType as ScalarKind) : undefined,
      oneof: partOf !== null && !partOf.isProto3Optional ? partOf.name : undefined,
      isGroup: field.delimited
    }
  }

  #type({ resolvedType, type }: Field): ProtoType {
    if (resolvedType === null) return type as ScalarKind
    if (resolvedType instanceof library().Type) return this.#message(resolvedType)
    const known = this.#enums.get(resolvedType)
    if (known !== undefined) return known
    const symbols = new Map<number, string>()
    for (const [symbol, number] of Object.entries(resolvedType.values))
      if (!symbols.has(number)) symbols.set(number, symbol)
    const found: ProtoEnum = { kind: 'enum', symbols }
    this.#enums.set(resolvedType, found)
    return found
  }
}

function labelOf(field: Field): ProtoField['label'] {
  if (field.map) return 'map'
  if (field.repeated) return 'repeated'
  if (field.required) return 'required'
  const isMessage = field.resolvedType !== null && 'fieldsArray' in field.resolvedType
  return isMessage || field.hasPresence ? 'explicit' : 'implicit'
}
