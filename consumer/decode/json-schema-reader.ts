import { SchemaError } from '../schema-limits.ts'
import type { Binding } from '../columns/binding.ts'
import { fieldsIn, type Dialect } from '../columns/dialect.ts'
import { folded } from '../columns/evolve.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import { isNested, type ColumnType, type Field } from '../columns/schema.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { Found, SchemaRegistry } from '../registry/schema-registry.ts'
import type { TableColumn } from '../sink.ts'
import type { Poison } from './dead-letter.ts'
import { FramedReader, unsupported, type SchemaValues } from './framed-reader.ts'
import { JsonReader } from './json-inferred.ts'
import { jsonSchemaFields, type JsonSchemaFields } from './json-schema.ts'
import type { JsonField, KnownColumn } from './json-types.ts'
import type { ReaderPlace, ValueReader } from './value-reader.ts'

/** What the readers of all partitions share: fields of schemas, by id. */
export class JsonSchemas {
  readonly #registry: SchemaRegistry
  readonly #dialect: Dialect
  readonly #ready = new Map<number, JsonSchemaFields | Poison>()

  constructor(registry: SchemaRegistry, dialect: Dialect) {
    this.#registry = registry
    this.#dialect = dialect
  }

  /** Reads JSON values of one topic and partition. */
  reader({ topic, known }: ReaderPlace): ValueReader {
    return new FramedReader(this.#registry, topic, found => {
      const fields = this.#fieldsOf(found)
      return 'reason' in fields ? fields : new JsonSchemaValues(fields, this.#dialect, known)
    })
  }

  /** Looks at the schema of values that stay whole: whether there is one, and what its version is. Their JSON is the lifter's. */
  wholeReader({ topic }: ReaderPlace): ValueReader {
    return new FramedReader(this.#registry, topic, found => {
      const fields = this.#fieldsOf(found)
      return new WholeValues('reason' in fields ? undefined : fields.title)
    })
  }

  #fieldsOf(found: Found): JsonSchemaFields | Poison {
    let fields = this.#ready.get(found.id)
    if (fields === undefined) this.#ready.set(found.id, (fields = this.#read(found)))
    return fields
  }

  #read({ id, type, text, references }: Found): JsonSchemaFields | Poison {
    if (type !== 'JSON') return unsupported(id, `it is of type ${type}, format JsonSchema reads JSON`)
    try {
      const { fields, title } = jsonSchemaFields(text, references)
      const told = fields.map(field => (field.takesAll === true ? { ...field, isJson: true as const } : field))
      return { fields: fieldsIn(this.#dialect, told), title }
    } catch (error) {
      if (error instanceof SchemaError) return unsupported(id, error.message)
      throw error
    }
  }
}

/** Values of one schema, read as JSON of which some columns are known before. */
class JsonSchemaValues implements SchemaValues {
  readonly #reader: JsonReader
  /** The title takes the place of a name. */
  readonly typeName: string | undefined
  readonly #known: () => readonly TableColumn[]
  readonly #declared: readonly JsonField[]
  readonly #place = new Place()
  #table: readonly TableColumn[] | undefined
  #both: readonly KnownColumn[] = []

  constructor({ fields, title }: JsonSchemaFields, dialect: Dialect, known: () => readonly TableColumn[]) {
    this.#known = known
    this.#declared = fields
    this.typeName = title
    this.#reader = new JsonReader(() => this.#knownToBoth(), dialect, fields)
  }

  check(cursor: RecordCursor, start: number, end: number): Poison | undefined {
    this.#place.cursor = cursor
    this.#place.valueStart = start
    this.#place.valueLength = end - start
    return this.#reader.check(this.#place)
  }

  get fields(): readonly Field[] {
    return this.#reader.fields
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#reader.append(rows, bindings)
  }

  value(field: string): unknown {
    return this.#reader.value(field)
  }

  /** What the table has counts; what it does not have is as the schema says. */
  #knownToBoth(): readonly KnownColumn[] {
    const table = this.#known()
    if (table !== this.#table) {
      this.#table = table
      this.#both = merged(table, this.#declared)
    }
    return this.#both
  }
}

/** Values of one schema of which no field becomes a column. */
class WholeValues implements SchemaValues {
  readonly fields: readonly Field[] = []
  readonly typeName: string | undefined

  constructor(title: string | undefined) {
    this.typeName = title
  }

  check(): undefined {}

  append(): void {}

  value(): undefined {}
}

/** The value behind its frame; the bytes are kept no longer than the cursor has them. */
class Place {
  cursor: RecordCursor | undefined
  valueStart = 0
  valueLength = 0

  get bytes(): Buffer {
    return this.cursor?.bytes ?? NOTHING
  }
}

const NOTHING = Buffer.alloc(0)

function merged(table: readonly TableColumn[], declared: readonly JsonField[]): readonly KnownColumn[] {
  const byName = new Map(declared.map(field => [folded(field.name), field]))
  const own = table.map((column): KnownColumn => {
    const field = byName.get(folded(column.name))
    byName.delete(folded(column.name))
    if (field === undefined || column.type === undefined) return column
    const takesAll = field.takesAll === true && column.type === 'string' ? { takesAll: true as const } : {}
    return { ...column, type: mergedType(column.type, field.type), ...takesAll }
  })
  return [...own, ...[...byName.values()].map(field => ({ ...field, isNew: true as const }))]
}

function mergedType(table: ColumnType, declared: ColumnType): ColumnType {
  if (!isNested(table) || !isNested(declared)) return table
  if ('struct' in table && 'struct' in declared)
    return { struct: merged(table.struct, declared.struct) as readonly JsonField[] }
  if (!('list' in table && 'list' in declared)) return table
  return { ...table, list: mergedType(table.list, declared.list) }
}
