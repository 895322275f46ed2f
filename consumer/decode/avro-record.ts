import { AvroError } from '../avro/byte-reader.ts'
import type { AvroType } from '../avro/type.ts'
import type { Binding } from '../columns/binding.ts'
import type { BytesColumn } from '../columns/bytes-column.ts'
import type { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import type { LongColumn } from '../columns/long-column.ts'
import type { Dialect } from '../columns/dialect.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import { append, appendNull } from './avro-appender.ts'
import { fieldsOf, WHOLE_VALUE } from './avro-fields.ts'
import { flatOps, scanFlat, type Slots } from './avro-flat.ts'
import { OP, planOf, type Plan } from './avro-plan.ts'
import type { AvroScanner } from './avro-scanner.ts'
import { PUT, targetsOf, type Target } from './avro-target.ts'
import { plainValue } from './avro-values.ts'

/**
 * Records of one schema, one at a time: `check` passes over a record and remembers where its fields lie and what its
 * numbers are; `append` and `value` then work from that, while the scanner still has its bytes.
 */
export class AvroRecords {
  readonly fields: readonly Field[]
  readonly #scanner: AvroScanner
  readonly #plan: Plan
  readonly #parts: readonly Plan[]
  readonly #names: readonly string[]
  readonly #ops: Uint8Array
  readonly #slots: Slots
  readonly #reached = { field: 0 }
  readonly #bigs: (bigint | undefined)[]
  readonly #targets = new WeakMap<RowGroupBuffer, Targets>()

  /** SchemaError when the schema has too many columns. */
  constructor(type: AvroType, dialect: Dialect, scanner: AvroScanner) {
    const plan = planOf(type)
    this.fields = fieldsOf(plan, dialect)
    this.#scanner = scanner
    this.#plan = plan
    const isRecord = plan.op === OP.RECORD
    this.#parts = isRecord ? plan.parts : [plan]
    this.#names = isRecord ? plan.names : [WHOLE_VALUE]
    const count = this.#parts.length
    this.#ops = flatOps(this.#parts)
    this.#slots = {
      starts: new Int32Array(count),
      lengths: new Int32Array(count),
      numbers: new Float64Array(count)
    }
    this.#bigs = Array.from({ length: count }, () => undefined)
  }

  /** What is wrong with the value; undefined when it is as the schema has it. */
  check(bytes: Buffer, start: number, end: number): string | undefined {
    const scanner = this.#scanner
    scanner.reset(bytes, start, end)
    const reached = this.#reached
    reached.field = 0
    try {
      if (this.#plan.op !== OP.RECORD || scanner.read(this.#plan)) this.#lookAll(scanner, end)
      else this.#slots.starts.fill(-1)
      reached.field = -1
      scanner.expectEnd()
      return undefined
    } catch (error) {
      if (!(error instanceof AvroError)) throw error
      return reached.field < 0 ? error.message : `field ${this.#names[reached.field] ?? ''}: ${error.message}`
    }
  }

  /** Appends the record that was checked last to the columns that its fields are bound to. */
  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void {
    const { parts, puts, columns } = this.#targetsIn(rows, bindings)
    const scanner = this.#scanner
    const { bytes } = scanner
    const { starts, lengths, numbers } = this.#slots
    for (let field = 0; field < puts.length; field++) {
      const put = puts[field] as number
      if (put === UNBOUND) continue
      const start = starts[field] as number
      const column = columns[field]
      if (start < 0) appendNull(parts[field] as Target, 0)
      else if (put === PUT.BYTES) (column as BytesColumn).append(bytes, start, lengths[field] as number)
      else if (put === PUT.NUMBER) (column as NumberColumn).appendFrom(numbers, field)
      else if (put === PUT.LONG && numbers[field] === numbers[field]) (column as LongColumn).appendFrom(numbers, field)
      else if (put === PUT.BOOLEAN) (column as BooleanColumn).append(numbers[field] === 1)
      else {
        this.#recall(scanner, field)
        append(scanner, parts[field] as Target, 0)
      }
    }
  }

  /** A field of the record that was checked last; undefined when there is no such field. */
  value(name: string): unknown {
    const field = this.#names.indexOf(name)
    const plan = this.#parts[field]
    if (plan === undefined) return undefined
    return this.#recall(this.#scanner, field) ? plainValue(this.#scanner, plan) : null
  }

  #lookAll(scanner: AvroScanner, end: number): void {
    const reached = this.#reached
    for (let field = 0; field < this.#parts.length;) {
      scanner.position = scanFlat(
        this.#ops,
        this.#slots,
        scanner.bytes,
        scanner.view,
        field,
        scanner.position,
        end,
        reached
      )
      field = reached.field
      if (field < this.#parts.length) this.#look(scanner, field++)
    }
  }

  #look(scanner: AvroScanner, field: number): void {
    const plan = this.#parts[field] as Plan
    if (!scanner.read(plan)) {
      this.#slots.starts[field] = -1
      return
    }
    this.#slots.numbers[field] = scanner.big === undefined ? scanner.number : BIG
    this.#slots.lengths[field] = scanner.length
    if (scanner.big !== undefined) this.#bigs[field] = scanner.big
    if (plan.op < OP.ARRAY) this.#slots.starts[field] = scanner.start
    else {
      this.#slots.starts[field] = scanner.position
      scanner.skipParts(plan)
    }
  }

  /** Puts the scanner back to where it had read a field; false when that is null. */
  #recall(scanner: AvroScanner, field: number): boolean {
    const start = this.#slots.starts[field] as number
    if (start < 0) return false
    scanner.number = this.#slots.numbers[field] as number
    scanner.big = Number.isNaN(scanner.number) ? this.#bigs[field] : undefined
    scanner.start = start
    scanner.length = this.#slots.lengths[field] as number
    scanner.moveTo(start)
    return true
  }

  /** Kept no longer than the row group, which is large. */
  #targetsIn(rows: RowGroupBuffer, bindings: readonly Binding[]): Targets {
    let targets = this.#targets.get(rows)
    // Row groups may be given further columns.
    if (targets?.bindings !== bindings || targets.leaves !== rows.columns) {
      const parts = targetsOf(this.#parts, this.#names, rows, bindings)
      targets = {
        bindings,
        leaves: rows.columns,
        parts,
        puts: Uint8Array.from(parts, part => part?.put ?? UNBOUND),
        columns: parts.map(part => part?.column)
      }
      this.#targets.set(rows, targets)
    }
    return targets
  }
}

interface Targets {
  readonly bindings: readonly Binding[]
  /** All columns of the row group. */
  readonly leaves: readonly LeafColumn[]
  readonly parts: readonly (Target | undefined)[]
  readonly puts: Uint8Array
  readonly columns: readonly (LeafColumn | undefined)[]
}

/** Stands for the bigint of its field: whole numbers are never NaN. */
const BIG = Number.NaN
const UNBOUND = 255
