import type { S3Sink } from '../../../crds/settled.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { Field } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import { FORMAT_VERSION, checkVersion, damaged } from './commit-object.ts'
import { joinedType, parseType, typeText } from './type-text.ts'

/**
 * What a table is, as the newest of its own objects says: how to read it, and the columns of all objects that were ever written.
 * Each change is a put-if-absent of the next number.
 */
export interface TableObject {
  readonly number: number
  /** Made once, when the table was created: a table that was dropped and created anew has another. */
  readonly id: string
  readonly layout: S3Sink['layout']
  readonly columns: readonly S3Column[]
  /** A drop that is under way or was cut off: nobody may write. */
  readonly isDropped: boolean
}

export interface S3Column {
  readonly name: string
  /** As `typeText` has it, or `json`: values that stand in a line as the JSON that they are. */
  readonly type: string
}

/** No name of `typeText`'s. */
const JSON_TYPE = 'json'

export function formatTable({ id, layout, columns, isDropped }: Omit<TableObject, 'number'>): Buffer {
  const text = { version: FORMAT_VERSION, id, layout, ...(isDropped ? { dropped: true } : {}), columns }
  return Buffer.from(`${JSON.stringify(text, undefined, 1)}\n`)
}

/** FatalError when it is of a newer version, or none of ours. */
export function parseTable(bytes: Buffer, number: number, path: string): TableObject {
  let parsed: { readonly [Name in keyof TableObject | 'version' | 'dropped']?: unknown } | null
  try {
    parsed = JSON.parse(bytes.toString()) as typeof parsed
  } catch {
    throw damaged(path, 'is no JSON')
  }
  checkVersion(parsed?.version, path)
  const { id, layout, columns, dropped } = parsed ?? {}
  if (typeof id !== 'string' || (layout !== 'Partitioned' && layout !== 'Glob') || !isColumns(columns))
    throw damaged(path, 'does not describe a table')
  return {
    number,
    id,
    layout,
    columns: columns.map(({ name, type }) => ({ name, type })),
    isDropped: dropped === true
  }
}

function isColumns(value: unknown): value is S3Column[] {
  return Array.isArray(value) && value.every((each: Partial<S3Column> | null) => isTexts([each?.name, each?.type]))
}

const isTexts = (values: readonly unknown[]): boolean => values.every(value => typeof value === 'string')

/**
 * The columns of the table with those of `fields` that it lacks, and with what is new within them; the same array when it lacks
 * nothing. It never gets a column of two types: readers of many objects at once could not read them. Otherwise FatalError
 * `IncompatibleTable`; RetryableError `SchemaMoved` when `mayMove`: somebody else has just made it so.
 */
export function columnsWith(
  { columns }: TableObject,
  fields: readonly Field[],
  table: string,
  mayMove: boolean
): readonly S3Column[] {
  const grown = [...columns]
  const known = new Map(columns.map((column, index) => [column.name.toLowerCase(), index]))
  for (const { name, type, isJson } of fields) {
    const wanted = { name, type: isJson === true ? JSON_TYPE : typeText(type) }
    const index = known.get(name.toLowerCase())
    const found = index === undefined ? undefined : grown[index]
    if (index === undefined || found === undefined) {
      known.set(name.toLowerCase(), grown.push(wanted) - 1)
      continue
    }
    if (found.name === name && found.type === wanted.type) continue
    const existing = parseType(found.type)
    const canJoin = found.name === name && isJson !== true
    const joined = existing === undefined || !canJoin ? undefined : joinedType(existing, type)
    if (joined === undefined) throw misfit(table, found, wanted, mayMove)
    if (joined !== existing) grown[index] = { name, type: typeText(joined) }
  }
  return grown.length === columns.length && grown.every((column, index) => column === columns[index]) ? columns : grown
}

function misfit(table: string, found: S3Column, wanted: S3Column, mayMove: boolean): Error {
  const what = `the objects of table ${table} have column ${found.name} as ${found.type}, the pipeline writes ${wanted.name} as ${wanted.type}`
  if (mayMove) return new RetryableError('SchemaMoved', what)
  const remedy =
    'Rename the column in the pipeline (columns, metadataColumns), or name another table in spec.topics[].table.'
  return new FatalError('IncompatibleTable', `${what}. ${remedy}`)
}

/** The columns, with the types that we can write. */
export function tableColumns({ columns }: TableObject, fields: readonly Field[]): readonly TableColumn[] {
  const types = new Map(fields.map(({ type }) => [typeText(type), type]))
  return columns.map(({ name, type }) =>
    type === JSON_TYPE
      ? { name, type: 'string', nullable: true, isJson: true }
      : { name, type: types.get(type) ?? parseType(type), nullable: true }
  )
}
