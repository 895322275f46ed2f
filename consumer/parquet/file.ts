import type { ColumnMetaData, FileMetaData, RowGroup, SchemaElement, Statistics } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { invariant } from '../../lib/errors.ts'
import type { ColumnChunk, RowGroupBuffer } from '../columns/row-group.ts'
import type { TableSchema } from '../columns/schema.ts'
import type { StatValue } from './bounds.ts'
import { elementOf, shapeOf } from './leaves.ts'

/** A Parquet file in pieces, to be written one after another. */
export interface EncodedFile {
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  readonly rows: number
  /** By dotted path in the file; for fields that are not nested their name. */
  readonly columns: ReadonlyMap<string, FileColumn>
  /** Where row groups begin. */
  readonly splitOffsets: readonly number[]
}

/** Bounds may be wider than the values, never narrower; they are absent where they are not gathered or cannot be said. */
export interface ColumnStatistics {
  readonly min: StatValue | undefined
  readonly max: StatValue | undefined
  readonly nullCount: number
}

export interface FileColumn extends ColumnStatistics {
  /** Compressed, without the footer. */
  readonly sizeBytes: number
  /** Values, nulls included; without lists one in each row. */
  readonly entries: number
}

export interface FileOptions {
  readonly createdBy?: string
  /** By dotted path in the file, those of lists and maps included (`headers.list.element`). */
  readonly fieldIds?: ReadonlyMap<string, number>
  readonly metadata?: ReadonlyMap<string, string>
}

const MAGIC = Buffer.from('PAR1')
/** "name version x": what readers parse to know a writer's old errors. */
const CREATED_BY = 'bronze-operator version 0.1.0'

/** One file of the given row groups, in their order. Pages are taken as they are: little more than a footer is made here. */
export function encodeParquet(
  schema: TableSchema,
  groups: readonly RowGroupBuffer[],
  { createdBy = CREATED_BY, fieldIds, metadata }: FileOptions = {}
): EncodedFile {
  const out = new Pieces()
  out.push(MAGIC)
  const written = groups.filter(({ rows }) => rows > 0).map(group => ({ rows: group.rows, chunks: group.chunks() }))
  const row_groups = written.map(({ rows, chunks }) => writeGroup(out, chunks, rows))
  const rows = written.reduce((sum, group) => sum + group.rows, 0)
  const footer: FileMetaData = {
    version: 2,
    schema: withFieldIds(shapeOf(schema).elements, fieldIds),
    num_rows: BigInt(rows),
    row_groups,
    created_by: createdBy,
    metadata_length: 0,
    ...(metadata === undefined ? {} : { key_value_metadata: [...metadata].map(([key, value]) => ({ key, value })) })
  }
  const writer = new ByteWriter(1024 * (1 + written.length))
  writeMetadata(writer, footer, Infinity)
  out.push(writer.getBytes())
  out.push(MAGIC)
  return {
    chunks: out.pieces,
    sizeBytes: out.sizeBytes,
    rows,
    columns: statisticsOf(written.map(({ chunks }) => chunks)),
    splitOffsets: row_groups.map(({ file_offset }) => Number(file_offset))
  }
}

class Pieces {
  readonly pieces: Uint8Array[] = []
  sizeBytes = 0

  push(piece: Uint8Array): void {
    this.pieces.push(piece)
    this.sizeBytes += piece.length
  }
}

function writeGroup(out: Pieces, chunks: readonly ColumnChunk[], rows: number): RowGroup {
  const start = out.sizeBytes
  const columns = chunks.map(chunk => {
    const file_offset = BigInt(out.sizeBytes)
    return { file_offset, meta_data: writeChunk(out, chunk) }
  })
  return {
    columns,
    total_byte_size: columns.reduce((sum, { meta_data }) => sum + meta_data.total_uncompressed_size, 0n),
    num_rows: BigInt(rows),
    file_offset: BigInt(start),
    total_compressed_size: BigInt(out.sizeBytes - start)
  }
}

function writeChunk(out: Pieces, chunk: ColumnChunk): ColumnMetaData {
  const { leaf, dictionary, pages, nullCount, min, max, isExact } = chunk
  const start = out.sizeBytes
  const all = dictionary === undefined ? pages : [dictionary, ...pages]
  for (const { header, body } of all) {
    out.push(header)
    out.push(body)
  }
  const dataStart = start + (dictionary === undefined ? 0 : dictionary.header.length + dictionary.body.length)
  const statistics: Statistics = {
    null_count: BigInt(nullCount),
    ...(min === undefined || max === undefined
      ? {}
      : { min_value: min, max_value: max, is_min_value_exact: isExact, is_max_value_exact: isExact })
  }
  return {
    type: elementOf(leaf.type).type,
    encodings: [...new Set([...all.map(({ encoding }) => encoding), 'RLE' as const])],
    path_in_schema: [...leaf.path],
    codec: 'ZSTD',
    num_values: BigInt(pages.reduce((sum, { entries }) => sum + entries, 0)),
    total_uncompressed_size: BigInt(all.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0)),
    total_compressed_size: BigInt(out.sizeBytes - start),
    data_page_offset: BigInt(dataStart),
    ...(dictionary === undefined ? {} : { dictionary_page_offset: BigInt(start) }),
    statistics
  }
}

/** Elements come in order of depth: the path of each is known from how many children its parents still have. */
function withFieldIds(
  elements: readonly SchemaElement[],
  ids: ReadonlyMap<string, number> | undefined
): SchemaElement[] {
  if (ids === undefined) return [...elements]
  const open: { readonly path: string; left: number }[] = []
  return elements.map((element, index) => {
    while (open.at(-1)?.left === 0) open.pop()
    const parent = open.at(-1)
    const path = parent === undefined || parent.path === '' ? element.name : `${parent.path}.${element.name}`
    if (parent !== undefined) parent.left--
    if (element.num_children !== undefined) open.push({ path: index === 0 ? '' : path, left: element.num_children })
    const field_id = index === 0 ? undefined : ids.get(path)
    return field_id === undefined ? element : { ...element, field_id }
  })
}

/** Of the whole file: a bound that one row group lacks, though it has values, is lacking. */
function statisticsOf(groups: readonly (readonly ColumnChunk[])[]): ReadonlyMap<string, FileColumn> {
  const merged = new Map<string, FileColumn>()
  for (const [index, first] of (groups[0] ?? []).entries()) {
    const chunks = groups.map(group => {
      const chunk = group[index]
      invariant(chunk?.leaf.name === first.leaf.name, 'all row groups of a file have one schema')
      return chunk
    })
    const valued = chunks.filter(chunk => chunk.nullCount < entriesOf(chunk))
    const bounded = valued.every(({ min, max }) => min !== undefined && max !== undefined)
    merged.set(first.leaf.name, {
      min: bounded
        ? extreme(
            valued.map(({ min }) => min),
            -1
          )
        : undefined,
      max: bounded
        ? extreme(
            valued.map(({ max }) => max),
            1
          )
        : undefined,
      nullCount: chunks.reduce((sum, { nullCount }) => sum + nullCount, 0),
      sizeBytes: chunks.reduce((sum, chunk) => sum + bytesOf(chunk), 0),
      entries: chunks.reduce((sum, chunk) => sum + entriesOf(chunk), 0)
    })
  }
  return merged
}

const entriesOf = ({ pages }: ColumnChunk): number => pages.reduce((sum, { entries }) => sum + entries, 0)

const bytesOf = ({ dictionary, pages }: ColumnChunk): number =>
  [...(dictionary === undefined ? [] : [dictionary]), ...pages].reduce(
    (sum, { header, body }) => sum + header.length + body.length,
    0
  )

function extreme(values: readonly (StatValue | undefined)[], direction: -1 | 1): StatValue | undefined {
  let found: StatValue | undefined
  for (const value of values) {
    if (value !== undefined && (found === undefined || compare(value, found) * direction > 0)) found = value
  }
  return found
}

function compare(a: StatValue, b: StatValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}
