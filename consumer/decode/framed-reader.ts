import type { Binding } from '../columns/binding.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { Found, SchemaRegistry } from '../registry/schema-registry.ts'
import { poison, type Poison } from './dead-letter.ts'
import { FRAME_BYTES, isFramed, notFramed } from './frame.ts'
import type { Pending, ValueReader } from './value-reader.ts'

/** Reads values of one schema: what `ValueReader` asks of all. */
export interface SchemaValues {
  /** The value lies from `start` to `end` in the record that `cursor` stands on. */
  check(cursor: RecordCursor, start: number, end: number): Poison | undefined
  readonly fields: readonly Field[]
  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void
  value(field: string): unknown
  /** Full name of the checked value's type, by which serializers may name its subject; undefined when it has none. */
  readonly typeName: string | undefined
}

/** Reads values of one topic in Confluent's wire format. `valuesOf` is asked once for each schema. */
export class FramedReader implements ValueReader {
  readonly #registry: SchemaRegistry
  readonly #topic: string
  readonly #valuesOf: (found: Found) => SchemaValues | Poison
  readonly #known = new Map<number, Known>()
  /** By the name of the type. */
  readonly #subjects = new Map<string | undefined, readonly string[]>()
  #id = -1
  #last: Known | undefined
  /** Of the record in hand. */
  #values: SchemaValues | undefined

  constructor(registry: SchemaRegistry, topic: string, valuesOf: (found: Found) => SchemaValues | Poison) {
    this.#registry = registry
    this.#topic = topic
    this.#valuesOf = valuesOf
  }

  check(cursor: RecordCursor): Poison | Pending | undefined {
    this.#values = undefined
    const { bytes, valueStart, valueLength } = cursor
    if (valueLength < 0) return undefined
    if (!isFramed(cursor)) return notFramed()
    const id = bytes.readUInt32BE(valueStart + 1)
    if (id !== this.#id || this.#last === undefined) {
      const known = this.#known.get(id) ?? this.#lookUp(id)
      if (known === undefined) return poison('Parse', 'UnknownSchema', `the schema registry does not know schema ${id}`)
      if ('ready' in known) return known
      this.#id = id
      this.#last = known
    }
    const { values } = this.#last
    if ('reason' in values) return values
    const wrong = values.check(cursor, valueStart + FRAME_BYTES, valueStart + valueLength)
    if (wrong === undefined) this.#values = values
    return wrong
  }

  get fields(): readonly Field[] {
    return this.#values?.fields ?? NO_FIELDS
  }

  get schemaVersion(): number | undefined {
    const values = this.#values
    if (values === undefined) return undefined
    for (const subject of this.#subjectsOf(values.typeName)) {
      const version = this.#last?.found.version(subject)
      if (version !== undefined) return version
    }
    return undefined
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#values?.append(rows, bindings)
  }

  value(field: string): unknown {
    return this.#values?.value(field)
  }

  /** By the naming strategies of Confluent's serializers, the usual one first. */
  #subjectsOf(name: string | undefined): readonly string[] {
    let subjects = this.#subjects.get(name)
    if (subjects === undefined) {
      const topic = this.#topic
      subjects = name === undefined ? [`${topic}-value`] : [`${topic}-value`, `${topic}-${name}`, name]
      this.#subjects.set(name, subjects)
    }
    return subjects
  }

  #lookUp(id: number): Known | Pending | undefined {
    const found = this.#registry.lookUp(id)
    if (found === undefined || 'ready' in found) return found
    const known = { found, values: this.#valuesOf(found) }
    this.#known.set(id, known)
    return known
  }
}

interface Known {
  readonly found: Found
  readonly values: SchemaValues | Poison
}

const NO_FIELDS: readonly Field[] = []

/** For schemas that cannot be read. */
export const unsupported = (id: number, why: string): Poison =>
  poison('Parse', 'UnsupportedSchema', `schema ${id}: ${why}`)
