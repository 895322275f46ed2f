import type { Binding } from '../columns/binding.ts'
import type { Dialect } from '../columns/dialect.ts'
import { folded, optional } from '../columns/evolve.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { ColumnType, Field } from '../columns/schema.ts'
import { RecordCursor } from '../record-batch.ts'
import type { Poison } from './dead-letter.ts'
import { INTEGER, JsonMembers, MAX_FIELDS } from './json-members.ts'
import { JsonNames, type JsonName } from './json-names.ts'
import { nearestDouble } from './json-number.ts'
import { KIND } from './json-scanner.ts'
import { objection } from './json-objection.ts'
import { JsonTree, scalar, type JsonValue } from './json-tree.ts'
import { hasNew, indexOf, knownType, typeOf, type FieldIndex, type JsonField, type KnownColumn } from './json-types.ts'
import { plainForRules } from './json-values.ts'
import { JsonWriter } from './json-writer.ts'
import type { ValueReader } from './value-reader.ts'
import type { TableColumn } from '../sink.ts'

/** Where a value is. */
type Place = Pick<RecordCursor, 'bytes' | 'valueStart' | 'valueLength'>

/** Arrays of fields that are kept for records which do not fit the table. */
const MAX_VARIANTS = 256

/**
 * Reads JSON objects whose members become columns by what they are. `known` gives the fields of the table as they are
 * now, without columns that are not for values; the same array while nothing changes. What fits a known field is
 * reported as of its type.
 */
export function createJsonReader(known: () => readonly TableColumn[], dialect = PLAIN): ValueReader {
  return new JsonReader(known, dialect)
}

const PLAIN: Pick<Dialect, 'nestedIsJson'> = { nestedIsJson: false }

/** What a member's column takes at a glance; CLOSER is all else, and members that had no value which fits yet. */
const GLANCE = { CLOSER: 0, STRING: 1, LONG: 2, DOUBLE: 3, BOOLEAN: 4, JSON: 5 } as const
const TWO_53 = 2 ** 53

/** `declared` are fields that are there even if no value has them; they are among the known ones. */
export class JsonReader implements ValueReader {
  fields: readonly Field[] = []
  readonly schemaVersion = undefined
  readonly #known: () => readonly KnownColumn[]
  readonly #nestedIsJson: boolean
  readonly #declared: readonly JsonField[]
  readonly #names = new JsonNames()
  readonly #members = new JsonMembers(this.#names)
  readonly #tree = new JsonTree(this.#names)
  readonly #writer = new JsonWriter(this.#members)
  /** The decoder's own: bytes are not kept longer than there. */
  #cursor: Place = new RecordCursor()
  /** Objects and arrays of the record, by their members, until it is appended. */
  readonly #trees: (JsonValue | undefined)[] = []
  #knownFields: readonly KnownColumn[] = []
  #index: FieldIndex = new Map()
  #generation = 0
  /** Members that had a value, if only once. */
  #seen: boolean[] = []
  /** Whether that grew since `#agree`. */
  #isStale = false
  /** By member: the known field of those; and all of these. */
  #agreed: (JsonField | undefined)[] = []
  #agreedFields: readonly Field[] = []
  #glances = new Uint8Array(64)
  /** Fields of records that do not fit what is known, by how they differ. */
  readonly #variants = new Map<string, readonly Field[]>()

  constructor(
    known: () => readonly KnownColumn[],
    { nestedIsJson }: Pick<Dialect, 'nestedIsJson'>,
    declared: readonly JsonField[] = []
  ) {
    this.#known = known
    this.#nestedIsJson = nestedIsJson
    this.#declared = declared
    this.#startOver()
  }

  check(cursor: Place): Poison | undefined {
    this.#cursor = cursor
    const { bytes, valueStart, valueLength } = cursor
    const members = this.#members
    this.#trees.length = 0
    this.#tree.reset()
    if (valueLength < 0) members.clear()
    else {
      const found = members.scan(bytes, valueStart, valueStart + valueLength)
      if (found !== 'Object') return objection(found, members.errorAt, valueLength)
      if (members.count > MAX_FIELDS) return objection('ManyFields', 0, valueLength)
    }
    this.#keepUp()
    return this.#compare(bytes)
  }

  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    this.#writer.append(this.#cursor.bytes, this.#trees, rows, bindings)
    this.#trees.length = 0
  }

  value(field: string): unknown {
    const name = folded(field)
    const [member, known] = [this.#members.columnOf(name), indexOf(this.fields).get(name)]
    if (member === undefined || known === undefined) return undefined
    const { bytes } = this.#cursor
    const value = this.#trees[member] ?? this.#valueOf(member, this.#members.kinds[member] as number, bytes)
    const type = known.isJson === true ? (typeOf(bytes, value, undefined) ?? 'string') : known.type
    return plainForRules(bytes, value, type)
  }

  /** Members whose fields are declared count as seen, and come first. */
  #startOver(): void {
    this.#seen = []
    for (const { name } of this.#declared) this.#seen[this.#members.add({ name, folded: folded(name) })] = true
  }

  /** Takes over what the table has become, and starts over when the members did. */
  #keepUp(): void {
    const known = this.#known()
    const members = this.#members
    const { generation } = members
    if (generation !== this.#generation) this.#startOver()
    const { kinds } = members
    if (kinds.length > this.#glances.length) this.#glances = new Uint8Array(kinds.length)
    else if (known === this.#knownFields && generation === this.#generation) return
    if (known !== this.#knownFields) {
      this.#index = indexOf(
        known.flatMap(column => (column.type ? [{ ...column, type: optional(column.type), nullable: true }] : []))
      )
    }
    this.#knownFields = known
    this.#generation = generation
    this.#agree()
  }

  /** What is known of all that was seen, whether or not a record has it. */
  #agree(): void {
    const { columns } = this.#members
    this.#isStale = false
    this.#agreed = Array.from(this.#seen, (seen, member) =>
      seen ? this.#index.get((columns[member] as JsonName).folded) : undefined
    )
    const fields = this.#agreed.filter(field => field !== undefined)
    const before = this.#agreedFields
    if (fields.length !== before.length || fields.some((field, index) => field !== before[index])) {
      this.#agreedFields = fields
      this.#variants.clear()
    }
    this.#glances.fill(GLANCE.CLOSER)
    for (const [member, field] of this.#agreed.entries()) {
      this.#glances[member] = (field && glanceOf(field)) ?? GLANCE.CLOSER
    }
  }

  /** Compares the record with what is known; what fits at a glance costs nothing more. */
  #compare(bytes: Buffer): Poison | undefined {
    const { count, present, kinds, columns } = this.#members
    let news: Map<number, Field> | undefined
    for (let index = 0; index < count; index++) {
      const member = present[index] as number
      const kind = kinds[member] as number
      if (kind === KIND.NULL || this.#fits(member, kind, bytes)) continue
      const name = columns[member] as JsonName
      const field = this.#index.get(name.folded)
      if (field?.takesAll === true) continue
      if (field?.isJson === true || (this.#nestedIsJson && (kind === KIND.OBJECT || kind === KIND.ARRAY))) {
        if (field?.isJson !== true) {
          news ??= new Map()
          news.set(member, { name: field?.name ?? name.name, type: 'string', nullable: true, isJson: true })
        }
        this.#see(member)
        continue
      }
      const value = this.#valueOf(member, kind, bytes)
      const found = this.#tree.objection
      if (found !== undefined) {
        return objection(found, this.#tree.objectionAt - this.#cursor.valueStart, this.#cursor.valueLength)
      }
      const type = typeOf(bytes, value, knownType(this.#index, name.folded, kind))
      if (type === undefined) {
        this.#forgetValue(member)
        continue
      }
      if (type !== field?.type) {
        news ??= new Map()
        news.set(member, { name: field?.name ?? name.name, type, nullable: true })
      }
      this.#see(member)
    }
    if (this.#isStale) this.#agree()
    this.fields = news === undefined ? this.#agreedFields : this.#variant(news)
    if (news === undefined || countOf([...news.values()]) <= MAX_FIELDS) return undefined
    return objection('ManyFields', 0, this.#cursor.valueLength)
  }

  #see(member: number): void {
    if (this.#seen[member] === true) return
    this.#seen[member] = true
    this.#isStale = true
  }

  #fits(member: number, kind: number, bytes: Buffer): boolean {
    const members = this.#members
    switch (this.#glances[member] as number) {
      case GLANCE.STRING:
        return kind === KIND.STRING || kind === KIND.ESCAPED
      case GLANCE.LONG:
        return kind === INTEGER
      case GLANCE.DOUBLE: {
        if (kind !== KIND.NUMBER) return kind === INTEGER
        const number = nearestDouble(bytes, members.starts[member] as number, members.ends[member] as number)
        if (Math.abs(number) >= TWO_53) return false
        members.numbers[member] = number
        members.kinds[member] = INTEGER
        return true
      }
      case GLANCE.BOOLEAN:
        return kind === KIND.TRUE || kind === KIND.FALSE
      case GLANCE.JSON:
        return true
      default:
        return false
    }
  }

  /** When it cannot be taken apart, the tree says why. */
  #valueOf(member: number, kind: number, bytes: Buffer): JsonValue {
    if (kind !== KIND.OBJECT && kind !== KIND.ARRAY) return this.#scalar(member)
    const { starts, ends } = this.#members
    const value = this.#tree.read(bytes, starts[member] as number, ends[member] as number)
    this.#trees[member] = value
    return value
  }

  #scalar(member: number): JsonValue {
    const { kinds, starts, ends } = this.#members
    const kind = kinds[member] as number
    return scalar(kind === INTEGER ? KIND.NUMBER : kind, starts[member] as number, ends[member] as number)
  }

  /** What says nothing is null. */
  #forgetValue(member: number): void {
    this.#members.kinds[member] = KIND.NULL
    this.#trees[member] = undefined
  }

  /** The agreed fields, but for those that the record has otherwise; the same array for the same difference. */
  #variant(news: ReadonlyMap<number, Field>): readonly Field[] {
    const key = JSON.stringify([...news.values()])
    let fields = this.#variants.get(key)
    if (fields === undefined) {
      // Where a schema has said what a column is to be, it comes first, and the value goes where others of its name do.
      const agreed = this.#agreed.filter((field, member) => !news.has(member) || (field !== undefined && hasNew(field)))
      fields = [...agreed.filter(field => field !== undefined), ...news.values()]
      if (this.#variants.size === MAX_VARIANTS) this.#variants.clear()
      this.#variants.set(key, fields)
    }
    return fields
  }
}

const GLANCES = new Map<ColumnType, number>([
  ['string', GLANCE.STRING],
  ['long', GLANCE.LONG],
  ['double', GLANCE.DOUBLE],
  ['boolean', GLANCE.BOOLEAN]
])

const glanceOf = ({ type, isJson }: Field): number | undefined => (isJson === true ? GLANCE.JSON : GLANCES.get(type))

/** Fields at every depth. */
function countOf(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + 1 + countIn(type), 0)
}

function countIn(type: ColumnType): number {
  if (typeof type === 'string') return 0
  if ('struct' in type) return countOf(type.struct)
  return 'list' in type ? countIn(type.list) : 0
}
