import { parseSchema } from '../avro/parse-schema.ts'
import { SchemaError } from '../schema-limits.ts'
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
import { FramedReader, unsupported, type SchemaValues } from './framed-reader.ts'
import type { ValueReader } from './value-reader.ts'

/** What the readers of all partitions share: schemas made ready, by id. Records are looked at and appended one after another. */
export class AvroSchemas {
  readonly #registry: SchemaRegistry
  readonly #dialect: Dialect
  readonly #scanner = new AvroScanner()
  readonly #ready = new Map<number, AvroValues | Poison>()

  constructor(registry: SchemaRegistry, dialect: Dialect) {
    this.#registry = registry
    this.#dialect = dialect
  }

  /** Reads Avro values of one topic. */
  reader(topic: string): ValueReader {
    return new FramedReader(this.#registry, topic, found => this.#valuesOf(found))
  }

  #valuesOf(found: Found): AvroValues | Poison {
    let values = this.#ready.get(found.id)
    if (values === undefined) this.#ready.set(found.id, (values = this.#prepare(found)))
    return values
  }

  #prepare({ id, type: kind, text, references }: Found): AvroValues | Poison {
    if (kind !== 'AVRO') return unsupported(id, `it is of type ${kind}, format Avro reads AVRO`)
    try {
      // One that is known by two names is defined once.
      const type = parseSchema(text, [...new Set(references.map(each => each.text))])
      return new AvroValues(id, type, new AvroRecords(type, this.#dialect, this.#scanner))
    } catch (error) {
      if (error instanceof SchemaError) return unsupported(id, error.message)
      throw error
    }
  }
}

/** Values of one schema. */
class AvroValues implements SchemaValues {
  readonly fields: readonly Field[]
  readonly #id: number
  readonly typeName: string | undefined
  readonly #records: AvroRecords

  constructor(id: number, type: AvroType, records: AvroRecords) {
    this.fields = records.fields
    this.#id = id
    this.typeName = 'name' in type ? type.name : undefined
    this.#records = records
  }

  check({ bytes }: RecordCursor, start: number, end: number): Poison | undefined {
    const wrong = this.#records.check(bytes, start, end)
    return wrong === undefined ? undefined : poison('Parse', 'InvalidAvro', `schema ${this.#id}: ${wrong}`)
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#records.append(rows, bindings)
  }

  value(field: string): unknown {
    return this.#records.value(field)
  }
}
