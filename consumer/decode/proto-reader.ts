import { SchemaError } from '../schema-limits.ts'
import type { Binding } from '../columns/binding.ts'
import type { Dialect } from '../columns/dialect.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import type { ParseProto, ProtoFile } from '../protobuf/type.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { Found, SchemaRegistry } from '../registry/schema-registry.ts'
import { poison, type Poison } from './dead-letter.ts'
import { FramedReader, unsupported, type SchemaValues } from './framed-reader.ts'
import { ProtoError } from './proto-bytes.ts'
import { ProtoRecords } from './proto-record.ts'
import { ProtoScanner } from './proto-scanner.ts'
import type { ValueReader } from './value-reader.ts'

/** Messages are declared in messages no deeper than this. */
const MAX_PATH = 32

/** What the readers of all partitions share: schemas made ready, by id. Records are looked at and appended one after another. */
export class ProtoSchemas {
  readonly #registry: SchemaRegistry
  readonly #dialect: Dialect
  readonly #parse: ParseProto
  readonly #scanner = new ProtoScanner()
  readonly #ready = new Map<number, ProtoValues | Poison>()

  constructor(registry: SchemaRegistry, dialect: Dialect, parse: ParseProto) {
    this.#registry = registry
    this.#dialect = dialect
    this.#parse = parse
  }

  /** Reads Protobuf values of one topic. */
  reader(topic: string): ValueReader {
    return new FramedReader(this.#registry, topic, found => this.#valuesOf(found))
  }

  #valuesOf(found: Found): ProtoValues | Poison {
    let values = this.#ready.get(found.id)
    if (values === undefined) this.#ready.set(found.id, (values = this.#prepare(found)))
    return values
  }

  #prepare({ id, type, text, references }: Found): ProtoValues | Poison {
    if (type !== 'PROTOBUF') return unsupported(id, `it is of type ${type}, format Protobuf reads PROTOBUF`)
    try {
      return new ProtoValues(id, this.#parse(text, references), this.#dialect, this.#scanner)
    } catch (error) {
      if (error instanceof SchemaError) return unsupported(id, error.message)
      throw error
    }
  }
}

/** A type of messages of a file. */
interface MessageType {
  readonly name: string
  readonly records: ProtoRecords
}

/** Values of one file: they begin with the path to the type of their message. */
class ProtoValues implements SchemaValues {
  readonly #id: number
  readonly #file: ProtoFile
  readonly #dialect: Dialect
  readonly #scanner: ProtoScanner
  readonly #types = new Map<string, MessageType | Poison>()
  /** The usual path: the first message of the file. */
  #first: MessageType | Poison | undefined
  #type: MessageType | undefined

  constructor(id: number, file: ProtoFile, dialect: Dialect, scanner: ProtoScanner) {
    this.#id = id
    this.#file = file
    this.#dialect = dialect
    this.#scanner = scanner
  }

  check({ bytes }: RecordCursor, start: number, end: number): Poison | undefined {
    let type: MessageType | Poison | undefined
    let from = start + 1
    if (start < end && bytes[start] === 0) type = this.#first ??= this.#typeAt([0])
    else {
      const path = this.#path(bytes, start, end)
      if (path === undefined) return this.#invalid('the path to the type of the message is not valid')
      from = this.#scanner.position
      const key = path.join('.')
      type = this.#types.get(key) ?? this.#typeAt(path)
      if ('name' in type) this.#types.set(key, type)
    }
    if ('reason' in type) return type
    const wrong = type.records.check(bytes, from, end)
    if (wrong !== undefined) return this.#invalid(`${type.name}: ${wrong}`)
    this.#type = type
    return undefined
  }

  get typeName(): string | undefined {
    return this.#type?.name
  }

  get fields(): readonly Field[] {
    return this.#type?.records.fields ?? []
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#type?.records.append(rows, bindings)
  }

  value(field: string): unknown {
    return this.#type?.records.value(field)
  }

  /** Places among messages, the outermost first: how many, then each, as zigzag varints. */
  #path(bytes: Buffer, start: number, end: number): readonly number[] | undefined {
    const scanner = this.#scanner
    scanner.reset(bytes, start, end)
    try {
      scanner.scalar('sint32')
      const length = scanner.number
      if (length < 0 || length > MAX_PATH) return undefined
      return Array.from({ length }, () => {
        scanner.scalar('sint32')
        return scanner.number
      })
    } catch (error) {
      if (error instanceof ProtoError) return undefined
      throw error
    }
  }

  #typeAt(path: readonly number[]): MessageType | Poison {
    try {
      const message = this.#file.message(path)
      if (message === undefined) return this.#invalid(`the schema has no message at the path ${path.join('.')}`)
      return { name: message.name, records: new ProtoRecords(message, this.#dialect, this.#scanner) }
    } catch (error) {
      if (error instanceof SchemaError) return unsupported(this.#id, error.message)
      throw error
    }
  }

  #invalid(why: string): Poison {
    return poison('Parse', 'InvalidProtobuf', `schema ${this.#id}: ${why}`)
  }
}
