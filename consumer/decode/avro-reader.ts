import { SchemaError, parseSchema } from '../avro/parse-schema.ts'
import type { AvroType } from '../avro/type.ts'
import type { Binding } from '../columns/binding.ts'
import type { Dialect } from '../columns/dialect.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { Found, SchemaRegistry } from '../registry/schema-registry.ts'
import { AvroRecords } from './avro-record.ts'
import { AvroScanner } from './avro-scanner.ts'
import { poison, type Poison } from './dead-letter.ts'
import type { Pending, ValueReader } from './value-reader.ts'

/** Confluent's wire format: a byte 0, then the id of the schema in four bytes, then the value. */
const FRAME_BYTES = 5

/** A schema that was looked up, ready for values of it. */
interface Ready {
  readonly found: Found
  readonly records: AvroRecords | undefined
  /** Why it cannot be read. */
  readonly poison: Poison | undefined
  /** Subjects it may be registered under for a topic: `{topic}` stands for its name. */
  readonly subjects: readonly string[]
}

/**
 * What the readers of all partitions share: schemas made ready, by id, and the place where a record is looked at. Records are looked at and
 * appended one after another.
 */
export class AvroSchemas {
  readonly scanner = new AvroScanner()
  readonly #registry: SchemaRegistry
  readonly #dialect: Dialect
  readonly #ready = new Map<number, Ready>()

  constructor(registry: SchemaRegistry, dialect: Dialect) {
    this.#registry = registry
    this.#dialect = dialect
  }

  get(id: number): Ready | Pending | undefined {
    const known = this.#ready.get(id)
    if (known !== undefined) return known
    const found = this.#registry.lookUp(id)
    if (found === undefined || 'ready' in found) return found
    const ready = this.#prepare(found)
    this.#ready.set(id, ready)
    return ready
  }

  #prepare(found: Found): Ready {
    const unsupported = (why: string): Ready => ({
      found,
      records: undefined,
      poison: poison('Parse', 'UnsupportedSchema', `schema ${found.id}: ${why}`),
      subjects: []
    })
    if (found.type !== 'AVRO') return unsupported(`it is of type ${found.type}, format Avro reads AVRO`)
    try {
      // One that is known by two names is defined once.
      const references = [...new Set(found.references.map(each => each.text))]
      const type = parseSchema(found.text, references)
      const records = new AvroRecords(type, this.#dialect, this.scanner)
      return { found, records, poison: undefined, subjects: subjectsOf(type) }
    } catch (error) {
      if (error instanceof SchemaError) return unsupported(error.message)
      throw error
    }
  }
}

/** By the naming strategies of Confluent's serializers, the usual one first. */
function subjectsOf(type: AvroType): readonly string[] {
  return 'name' in type ? ['{topic}-value', `{topic}-${type.name}`, type.name] : ['{topic}-value']
}

/** Reads Avro values in Confluent's wire format of one topic. */
export function createAvroReader(schemas: AvroSchemas, topic: string): ValueReader {
  return new AvroReader(schemas, topic)
}

class AvroReader implements ValueReader {
  fields: readonly Field[] = NO_FIELDS
  readonly #schemas: AvroSchemas
  readonly #topic: string
  #id = -1
  #ready: Ready | undefined
  #subjects: readonly string[] = []
  /** That of the record in hand. */
  #records: AvroRecords | undefined

  constructor(schemas: AvroSchemas, topic: string) {
    this.#schemas = schemas
    this.#topic = topic
  }

  check({ bytes, valueStart, valueLength }: RecordCursor): Poison | Pending | undefined {
    this.fields = NO_FIELDS
    this.#records = undefined
    if (valueLength < 0) return undefined
    if (valueLength < FRAME_BYTES || bytes[valueStart] !== 0)
      return poison('Parse', 'NotFramed', 'the value does not begin with a byte 0 and the id of a schema')
    const id = bytes.readUInt32BE(valueStart + 1)
    if (id !== this.#id || this.#ready === undefined) {
      const found = this.#schemas.get(id)
      if (found === undefined) return poison('Parse', 'UnknownSchema', `the schema registry does not know schema ${id}`)
      if ('ready' in found) return found
      this.#id = id
      this.#ready = found
      this.#subjects = found.subjects.map(subject => subject.replace('{topic}', () => this.#topic))
    }
    const { records, poison: unsupported } = this.#ready
    if (records === undefined) return unsupported
    const wrong = records.check(bytes, valueStart + FRAME_BYTES, valueStart + valueLength)
    if (wrong !== undefined) return poison('Parse', 'InvalidAvro', `schema ${id}: ${wrong}`)
    this.#records = records
    this.fields = records.fields
    return undefined
  }

  get schemaVersion(): number | undefined {
    if (this.#records === undefined) return undefined
    for (const subject of this.#subjects) {
      const version = this.#ready?.found.version(subject)
      if (version !== undefined) return version
    }
    return undefined
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#records?.append(rows, bindings)
  }

  value(field: string): unknown {
    return this.#records?.value(field)
  }
}

const NO_FIELDS: readonly Field[] = []
