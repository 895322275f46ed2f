import { qualityScope } from '../../crds/quality.ts'
import type { MetadataSource, SettledQuality, SettledTopic } from '../../crds/settled.ts'
import { columnOf } from '../../lib/cel-name.ts'
import { celCompiler, type CelProgram } from '../../lib/cel.ts'
import { FatalError } from '../../lib/errors.ts'
import { folded } from '../columns/evolve.ts'
import type { ColumnType, Field } from '../columns/schema.ts'
import type { Partition } from '../partition.ts'
import type { RecordCursor } from '../record-batch.ts'
import { fieldValue, liftedValue } from './cel-value.ts'
import type { Lifted } from './lift.ts'
import type { QualityCounts } from './quality-counts.ts'
import type { ValueReader } from './value-reader.ts'

/** The quality rules of one entry. */
export interface RuleSet {
  /** Columns of type boolean, in order. */
  readonly names: readonly string[]
  /** Column of type double. */
  readonly scoreColumn: string
  /** After `evaluate`: whether each rule holds (1) or not (0), in the order of the names. */
  readonly results: Uint8Array
  /** After `evaluate`: the weights of the rules that hold over all weights, 0 to 1; 1 when all weights are 0. */
  readonly score: number
  /**
   * Judges the record that was looked at last, which is no tombstone: those have no columns to judge. `lifted` is in the order
   * of the entry's columns, `reader` is there when fields of values become columns. A rule without an answer does not hold,
   * and is counted as an error.
   */
  evaluate(
    cursor: RecordCursor,
    partition: Partition,
    lifted: readonly Lifted[],
    reader: ValueReader | undefined,
    into: QualityCounts
  ): void
}

/** Undefined when the entry has no rules. */
export function createRuleSet(entry: SettledTopic): RuleSet | undefined {
  return entry.quality === undefined ? undefined : new Rules(entry, entry.quality)
}

class Rules implements RuleSet {
  readonly names: readonly string[]
  readonly scoreColumn: string
  readonly results: Uint8Array
  score = 0
  readonly #programs: readonly CelProgram[]
  readonly #weights: readonly number[]
  readonly #weight: number
  readonly #variables: readonly Variable[]
  /** What the variables of all rules are for the record in hand. */
  readonly #values: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  readonly #fields = new FieldTypes()

  constructor(entry: SettledTopic, { rules, scoreColumn }: SettledQuality) {
    this.names = rules.map(({ name }) => name)
    this.scoreColumn = scoreColumn
    this.results = new Uint8Array(rules.length)
    this.#programs = programsOf(entry)
    this.#weights = rules.map(({ weight }) => weight)
    this.#weight = this.#weights.reduce((sum, weight) => sum + weight, 0)
    const names = new Set(this.#programs.flatMap(({ variables }) => variables))
    this.#variables = [...names].map(name => ({ name, read: readerOf(columnOf(name), entry, this.#fields) }))
  }

  evaluate(
    cursor: RecordCursor,
    partition: Partition,
    lifted: readonly Lifted[],
    reader: ValueReader | undefined,
    into: QualityCounts
  ): void {
    const values = this.#values
    for (const { name, read } of this.#variables) values[name] = read(cursor, partition, lifted, reader)
    let weight = 0
    for (let rule = 0; rule < this.#programs.length; rule++) {
      const answer = (this.#programs[rule] as CelProgram).judge(values)
      this.results[rule] = answer === true ? 1 : 0
      if (answer === true) weight += this.#weights[rule] as number
      into.add(rule, answer)
    }
    this.score = this.#weight === 0 ? 1 : weight / this.#weight
    into.endRow(this.score)
  }
}

type Read = (
  cursor: RecordCursor,
  partition: Partition,
  lifted: readonly Lifted[],
  reader: ValueReader | undefined
) => unknown

interface Variable {
  readonly name: string
  readonly read: Read
}

const programs = new WeakMap<SettledQuality, readonly CelProgram[]>()

/** Shared by the partitions of an entry: a regular expression's own tables can take megabytes. */
function programsOf(entry: SettledTopic): readonly CelProgram[] {
  const { quality } = entry
  if (quality === undefined) return []
  let compiled = programs.get(quality)
  if (compiled === undefined) {
    const compile = celCompiler(qualityScope(entry))
    compiled = quality.rules.map(({ name, expression }) => {
      const result = compile(expression)
      if (result.ok) return result.program
      const { line, column, message } = result.mistake
      throw new FatalError('InvalidPipeline', `quality rule ${name}: line ${line}, column ${column}: ${message}`)
    })
    programs.set(quality, compiled)
  }
  return compiled
}

function readerOf(column: string, { columns, metadataColumns }: SettledTopic, fields: FieldTypes): Read {
  const index = columns.findIndex(({ name }) => name === column)
  const liftedColumn = columns[index]
  if (liftedColumn !== undefined) {
    return (cursor, _, lifted) => liftedValue(liftedColumn, lifted[index] as Lifted, cursor.bytes)
  }
  const metadata = metadataColumns.find(({ name }) => name === column)
  if (metadata !== undefined) return metadataReader(metadata.source, metadata.type !== 'Binary')
  return (_cursor, _partition, _lifted, reader) =>
    reader === undefined ? null : fieldValue(fields.typeOf(reader.fields, column), reader.value(column))
}

function metadataReader(source: MetadataSource, isText: boolean): Read {
  const readers: Partial<Readonly<Record<MetadataSource, Read>>> = {
    Topic: (_, { topic }) => topic,
    Partition: (_, { partition }) => BigInt(partition),
    Offset: ({ offset }) => BigInt(offset),
    Timestamp: ({ timestampMs }) => (timestampMs === -1 ? null : new Date(timestampMs)),
    SchemaVersion: (_cursor, _partition, _lifted, reader) => fieldValue('int', reader?.schemaVersion),
    Key: ({ bytes, keyStart, keyLength }) => bytesOf(bytes, keyStart, keyLength, isText),
    Value: ({ bytes, valueStart, valueLength }) => bytesOf(bytes, valueStart, valueLength, isText)
  }
  // In an open scope the name of a column that rules cannot see could be written all the same.
  return readers[source] ?? (() => null)
}

function bytesOf(bytes: Buffer, start: number, length: number, isText: boolean): string | Uint8Array | null {
  if (length < 0) return null
  return isText ? bytes.toString('utf8', start, start + length) : bytes.subarray(start, start + length)
}

/** Types of fields by name, ignoring case as tables do; records of one schema share the list of their fields. */
class FieldTypes {
  #fields: readonly Field[] = []
  #types: ReadonlyMap<string, ColumnType> = new Map()

  typeOf(fields: readonly Field[], name: string): ColumnType | undefined {
    if (fields !== this.#fields) {
      this.#fields = fields
      this.#types = new Map(fields.map(({ name, type }) => [folded(name), type]))
    }
    return this.#types.get(folded(name))
  }
}
