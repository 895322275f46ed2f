import { zstdDecompressSync } from 'node:zlib'
import { parquetMetadata, parquetReadObjects, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet'
import { formatDecimal, unscaledOf } from '../../consumer/columns/decimal.ts'
import type { ReadRow } from './expectation.ts'

/** All rows of a Parquet file, every digit of them, read by code that is not ours. */
export async function readFileRows(bytes: Buffer): Promise<readonly ReadRow[]> {
  const file = new Uint8Array(bytes).buffer
  const metadata = parquetMetadata(file)
  const tree = parquetSchema(metadata)
  // The reader would round decimals and times: it gets the plain types, and what they mean is looked up here.
  const schema = metadata.schema.map(bare)
  const compressors = { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) }
  const rows = await parquetReadObjects({ file, metadata: { ...metadata, schema }, utf8: false, compressors })
  return rows.map(row => struct(tree.children, row))
}

function bare(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type: _, ...rest } = element
  const isKept = converted_type === 'LIST' || converted_type === 'MAP' || converted_type === 'UTF8'
  return isKept ? { ...rest, converted_type } : rest
}

const struct = (fields: readonly SchemaTree[], row: Readonly<Record<string, unknown>>): ReadRow =>
  Object.fromEntries(fields.map(field => [field.element.name, plain(field, row[field.element.name])]))

function plain(node: SchemaTree, value: unknown): unknown {
  if (value === null || value === undefined) return null
  const { element, children } = node
  const [inner] = children
  if (element.converted_type === 'LIST') {
    const item = inner?.children[0]
    return (value as readonly unknown[]).map(each => (item === undefined ? null : plain(item, each)))
  }
  if (element.converted_type === 'MAP') {
    const item = inner?.children[1]
    return Object.entries(value).map(([key, each]) => [`s:${key}`, item === undefined ? null : plain(item, each)])
  }
  return inner === undefined ? leaf(element, value) : struct(children, value as Record<string, unknown>)
}

function leaf({ type, logical_type: logical, scale = 0 }: SchemaElement, value: unknown): unknown {
  const hex = () => Buffer.from(value as Uint8Array).toString('hex')
  if (logical?.type === 'STRING') return `s:${String(value)}`
  if (logical?.type === 'DECIMAL') {
    const unscaled = value instanceof Uint8Array ? unscaledOf(value, 0, value.length) : BigInt(value as number)
    return `n:${formatDecimal(unscaled, scale)}`
  }
  if (logical?.type === 'DATE') return `d:${String(value)}`
  if (logical?.type === 'TIMESTAMP') return `${logical.isAdjustedToUTC ? 'T' : 'N'}:${String(value)}`
  if (logical?.type === 'TIME') return `t:${String(value)}`
  if (logical?.type === 'UUID') return `u:${hex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`
  if (type === 'INT32' || type === 'INT64') return `i:${String(value)}`
  return value instanceof Uint8Array ? `x:${hex()}` : value
}
