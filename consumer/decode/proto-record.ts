import type { Binding } from '../columns/binding.ts'
import type { Dialect } from '../columns/dialect.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import type { ProtoMessage } from '../protobuf/type.ts'
import { ProtoError } from './proto-bytes.ts'
import { fieldsOf, planOf, type FieldPlan, type MessagePlan } from './proto-plan.ts'
import type { MessageValues, ProtoScanner } from './proto-scanner.ts'
import { appendDefault, appendFlat, appendJson, appendNested, targetsOf, type Target } from './proto-target.ts'
import { plainOf } from './proto-values.ts'

/** What is known of the plain fields of one message, by field. */
export interface Slots {
  readonly isSet: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
  readonly numbers: Float64Array
  /** Those that are no safe integers; then the number is NaN. */
  readonly bigs: (bigint | undefined)[]
}

/**
 * Messages of one type, one at a time: `check` reads a message and remembers where its plain values lie and what its numbers are;
 * what is nested or repeated becomes objects. `append` and `value` work from that, while the scanner still has the bytes.
 */
export class ProtoRecords {
  readonly fields: readonly Field[]
  readonly #scanner: ProtoScanner
  readonly #plan: MessagePlan
  readonly #isFlat: Uint8Array
  readonly #slots: Slots
  readonly #values: MessageValues = []
  readonly #targets = new WeakMap<RowGroupBuffer, Targets>()

  /** SchemaError when no table can hold such messages. */
  constructor(message: ProtoMessage, dialect: Dialect, scanner: ProtoScanner) {
    const plan = planOf(message)
    const count = plan.fields.length
    this.fields = fieldsOf(plan, dialect)
    this.#scanner = scanner
    this.#plan = plan
    this.#isFlat = Uint8Array.from(plan.fields, isFlat)
    this.#slots = {
      isSet: new Uint8Array(count),
      starts: new Int32Array(count),
      lengths: new Int32Array(count),
      numbers: new Float64Array(count),
      bigs: plan.fields.map(() => undefined)
    }
  }

  /** What is wrong with the message; undefined when it is as the schema has it. */
  check(bytes: Buffer, start: number, end: number): string | undefined {
    const scanner = this.#scanner
    scanner.reset(bytes, start, end)
    this.#slots.isSet.fill(0)
    this.#values.length = 0
    let name: string | undefined
    try {
      while (scanner.position < end) {
        name = undefined
        scanner.tag()
        const { number, wire } = scanner
        const field = this.#plan.byNumber.get(number)
        name = field?.name
        if (field === undefined) scanner.pass(number, wire, 0)
        else if (this.#isFlat[field.index] === 1 && wire === field.value.wire) this.#keep(field)
        else this.#read(field, wire)
      }
      for (const field of this.#plan.fields)
        if (field.label === 'required' && !this.#has(field)) return `required ${field.name} is missing`
      return undefined
    } catch (error) {
      if (!(error instanceof ProtoError)) throw error
      return name === undefined ? error.message : `field ${name}: ${error.message}`
    }
  }

  /** Appends the message that was checked last to the columns that its fields are bound to. */
  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    const slots = this.#slots
    for (const target of this.#targetsIn(rows, bindings)) {
      const { field } = target
      const { index } = field
      if (target.isJson) appendJson(target, this.#isFlat[index] === 1 ? this.#flat(field) : this.#values[index])
      else if (this.#isFlat[index] === 0) appendNested(target, this.#values[index], rows.columns)
      else if (slots.isSet[index] === 1) appendFlat(target, this.#scanner.bytes, slots)
      else if (field.label === 'implicit') appendDefault(target)
      else (target.column as LeafColumn).appendNull(0, 0)
    }
  }

  /** A field of the message that was checked last; undefined when there is no such field. */
  value(name: string): unknown {
    const field = this.#plan.fields.find(each => each.name === name)
    if (field === undefined) return undefined
    return plainOf(field, this.#isFlat[field.index] === 1 ? this.#flat(field) : this.#values[field.index], undefined)
  }

  #keep({ index, value, peers }: FieldPlan): void {
    const scanner = this.#scanner
    const { isSet, starts, lengths, numbers, bigs } = this.#slots
    scanner.scalar(value.kind)
    starts[index] = scanner.start
    lengths[index] = scanner.length
    if (scanner.big === undefined) numbers[index] = scanner.number
    else {
      numbers[index] = Number.NaN
      bigs[index] = scanner.big
    }
    if (peers.length > 0) this.#unset(peers)
    isSet[index] = 1
  }

  #read(field: FieldPlan, wire: number): void {
    this.#scanner.field(field, wire, this.#values, 0)
    if (field.peers.length > 0) this.#unset(field.peers)
  }

  #unset(fields: readonly number[]): void {
    for (const index of fields) {
      this.#slots.isSet[index] = 0
      this.#values[index] = undefined
    }
  }

  #has({ index }: FieldPlan): boolean {
    return this.#slots.isSet[index] === 1 || this.#values[index] !== undefined
  }

  /** As the scanner gives values of messages in messages. */
  #flat({ index, value: { kind, symbols } }: FieldPlan): unknown {
    const { isSet, starts, lengths, numbers, bigs } = this.#slots
    if (isSet[index] === 0) return undefined
    const [number, start, length] = [numbers[index] as number, starts[index] as number, lengths[index] as number]
    const { bytes } = this.#scanner
    if (kind === 'bool') return number === 1
    if (kind === 'enum') return symbols.get(number) ?? String(number)
    if (kind === 'string') return bytes.toString('utf8', start, start + length)
    if (kind === 'bytes') return bytes.subarray(start, start + length)
    if (kind === 'float' || kind === 'double') return number
    const big = Number.isNaN(number) ? bigs[index] : undefined
    return big ?? (kind === 'uint64' || kind === 'fixed64' ? BigInt(number) : number)
  }

  /** Kept no longer than the row group, which is large. */
  #targetsIn(rows: RowGroupBuffer, bindings: readonly Binding[]): readonly Target[] {
    let targets = this.#targets.get(rows)
    // Row groups may be given further columns.
    if (targets?.bindings !== bindings || targets.leaves !== rows.columns) {
      targets = { bindings, leaves: rows.columns, targets: targetsOf(this.#plan.fields, rows, bindings) }
      this.#targets.set(rows, targets)
    }
    return targets.targets
  }
}

interface Targets {
  readonly bindings: readonly Binding[]
  /** All columns of the row group. */
  readonly leaves: readonly LeafColumn[]
  readonly targets: readonly Target[]
}

const isFlat = ({ label, value }: FieldPlan): 0 | 1 =>
  label === 'repeated' || label === 'map' || value.message !== undefined ? 0 : 1
