import type { LiftedColumn, SettledTopic } from '../../crds/settled.ts'
import type { RecordCursor } from '../record-batch.ts'
import { poison, type Poison } from './dead-letter.ts'
import { FRAME_BYTES, isFramed, isWholeBehindFrame, notFramed } from './frame.ts'
import type { HeaderIndex } from './header-index.ts'
import { compilePointers } from './json-path.ts'
import { JsonScanner, KIND } from './json-scanner.ts'
import { emptyLifted, HELD, liftJson, liftText, type Lifted } from './lift.ts'
import { isUtf8 } from './utf8.ts'

const KIND_NAMES: Readonly<Record<number, string>> = {
  [KIND.STRING]: 'string',
  [KIND.ESCAPED]: 'string',
  [KIND.NUMBER]: 'number',
  [KIND.TRUE]: 'boolean',
  [KIND.FALSE]: 'boolean',
  [KIND.OBJECT]: 'object',
  [KIND.ARRAY]: 'array'
}

/** Checks records of one entry and lifts its columns from them. */
export class Lifter {
  /** After `check` found nothing wrong: the values in the order of the entry's columns. */
  readonly lifted: readonly Lifted[]
  /**
   * The names of the columns that could not take their value, apart by commas, for the column of `onMismatch: SetNull`;
   * null when there are none.
   */
  readonly mismatches: Lifted = emptyLifted()
  readonly #columns: readonly LiftedColumn[]
  readonly #mayMismatch: boolean
  /** The names that `mismatches` holds the bytes of. */
  #mismatchedNames = ''
  readonly #scanner: JsonScanner | undefined
  readonly #isBehindFrame: boolean
  /** Column by column: its number among the scanner's, or the header's name. */
  readonly #pointers: readonly number[]
  readonly #headerNames: readonly (Buffer | undefined)[]

  constructor({ format, columns, schema }: Pick<SettledTopic, 'format' | 'columns' | 'schema'>) {
    this.#columns = columns
    this.#mayMismatch = schema.mode === 'Declared' && schema.onMismatch === 'SetNull'
    this.lifted = columns.map(emptyLifted)
    const pointers: string[] = []
    this.#pointers = columns.map(({ from }) => (from.kind === 'value' ? pointers.push(from.pointer) - 1 : -1))
    this.#headerNames = columns.map(({ from }) => (from.kind === 'header' ? Buffer.from(from.header) : undefined))
    this.#isBehindFrame = isWholeBehindFrame({ format, schema })
    // Whoever infers columns from the value checks it as well.
    const scans = this.#isBehindFrame || (format === 'Json' && (schema.mode !== 'Inferred' || pointers.length > 0))
    this.#scanner = scans ? new JsonScanner(compilePointers(pointers), pointers.length) : undefined
  }

  /**
   * What is wrong with the record's value, key and headers as the columns want them; undefined when nothing is. Tombstones
   * have no value to check, and `required` does not bind them.
   */
  check(cursor: RecordCursor, headers: HeaderIndex): Poison | undefined {
    const { bytes, valueStart, valueLength } = cursor
    const isTombstone = valueLength < 0
    const scanner = this.#scanner
    const frame = this.#isBehindFrame ? FRAME_BYTES : 0
    if (frame > 0 && !isTombstone && !isFramed(cursor)) return notFramed()
    if (scanner !== undefined && !isTombstone && !scanner.scan(bytes, valueStart + frame, valueStart + valueLength)) {
      const what = scanner.error === 'InvalidUtf8' ? 'is not UTF-8' : 'is not JSON'
      return poison('Parse', scanner.error, `the value ${what} at byte ${frame + scanner.errorAt} of ${valueLength}`)
    }
    let mismatched = ''
    for (let index = 0; index < this.#columns.length; index++) {
      const column = this.#columns[index] as LiftedColumn
      const lifted = this.lifted[index] as Lifted
      let found = this.#lift(index, column, lifted, cursor, headers, isTombstone)
      if (found === undefined && column.required && lifted.held === HELD.NULL && !isTombstone) {
        found = poison('Lift', 'MissingColumn', `column ${column.name} (${place(column)}) is required and not there`)
      }
      if (found === undefined) continue
      if (!this.#mayMismatch) return found
      lifted.held = HELD.NULL
      mismatched += mismatched === '' ? column.name : `,${column.name}`
    }
    if (this.#mayMismatch) this.#holdMismatches(mismatched)
    return undefined
  }

  #holdMismatches(names: string): void {
    this.mismatches.held = names === '' ? HELD.NULL : HELD.OWN_BYTES
    if (names === '' || names === this.#mismatchedNames) return
    this.#mismatchedNames = names
    this.mismatches.bytes = Buffer.from(names)
  }

  #lift(
    index: number,
    column: LiftedColumn,
    into: Lifted,
    cursor: RecordCursor,
    headers: HeaderIndex,
    isTombstone: boolean
  ): Poison | undefined {
    const { bytes } = cursor
    const scanner = this.#scanner
    const pointer = this.#pointers[index] as number
    if (pointer >= 0) {
      const kind = isTombstone || scanner === undefined ? KIND.MISSING : (scanner.kinds[pointer] as number)
      const [start, end] = [scanner?.starts[pointer] ?? 0, scanner?.ends[pointer] ?? 0]
      return liftJson(column, kind, bytes, start, end, into) ? undefined : wrongType(column, KIND_NAMES[kind])
    }
    const name = this.#headerNames[index]
    const header = name === undefined ? 0 : headers.find(bytes, name)
    const [start, length] =
      name === undefined
        ? [cursor.keyStart, cursor.keyLength]
        : header < 0
          ? [0, -1]
          : [headers.valueStart(header), headers.valueLength(header)]
    if (column.type === 'String' && length > 0 && !isUtf8(bytes, start, start + length)) {
      return poison('Lift', 'InvalidUtf8', `column ${column.name} (${place(column)}) is not UTF-8`)
    }
    return liftText(column, bytes, start, length, into) ? undefined : wrongType(column, 'other text')
  }
}

const wrongType = (column: LiftedColumn, found: string | undefined): Poison =>
  poison(
    'Lift',
    'WrongType',
    `column ${column.name} (${place(column)}) expects ${expected(column)}, found ${found ?? 'nothing'} that is none`
  )

const expected = ({ type, precision, scale }: LiftedColumn): string =>
  type === 'Decimal' ? `Decimal(${precision}, ${scale}) (a number without a digit too many)` : EXPECTED[type]

const EXPECTED: Readonly<Record<Exclude<LiftedColumn['type'], 'Decimal'>, string>> = {
  String: 'String',
  Int: 'Int (a whole number of 32 bits)',
  Long: 'Long (a whole number of 64 bits)',
  Float: 'Float (a number that 32 bits can hold)',
  Double: 'Double (a number)',
  Boolean: 'Boolean (true or false)',
  Timestamp: 'Timestamp (RFC 3339 text with offset, or whole milliseconds since 1970)',
  Date: 'Date (YYYY-MM-DD)'
}

function place({ from }: LiftedColumn): string {
  switch (from.kind) {
    case 'value':
      return `value ${from.pointer}`
    case 'header':
      return `header ${from.header}`
    case 'key':
      return 'key'
  }
}
