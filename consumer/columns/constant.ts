import type { Leaf } from '../parquet/leaves.ts'
import { encodeRun } from '../parquet/levels.ts'
import { dataPage, dictionaryPage, type Page } from '../parquet/page.ts'

/** What all rows of a column hold; null may stand in nullable columns only. */
export type Constant = string | number | bigint | boolean | null

/** Pages of a column that holds one value in all rows: a dictionary of one and a run of its index, or a run of nulls. */
export function constantPages(leaf: Leaf, value: Constant, rows: number): { dictionary?: Page; data: Page } {
  if (value === null) return { data: page(leaf, 0, Buffer.alloc(0), 'PLAIN', rows) }
  if (typeof value === 'boolean') {
    // Booleans have no dictionaries.
    return { data: page(leaf, leaf.maxDefinition, Buffer.alloc(Math.ceil(rows / 8), value ? 0xff : 0), 'PLAIN', rows) }
  }
  // Indexes of one bit: all readers take that, not all take none.
  const indexes = Buffer.concat([Buffer.from([1]), encodeRun(0, rows)])
  return {
    dictionary: dictionaryPage(plainBytes(leaf, value), 1),
    data: page(leaf, leaf.maxDefinition, indexes, 'RLE_DICTIONARY', rows)
  }
}

function page(
  leaf: Leaf,
  definition: number,
  buffer: Buffer,
  encoding: 'PLAIN' | 'RLE_DICTIONARY',
  rows: number
): Page {
  const levels = [
    ...(leaf.maxRepetition > 0 ? [withLength(encodeRun(0, rows))] : []),
    ...(leaf.maxDefinition > 0 ? [withLength(encodeRun(definition, rows))] : [])
  ]
  return dataPage(Buffer.concat(levels), { buffer, start: 0, end: buffer.length, encoding }, rows)
}

function plainBytes({ name, type }: Leaf, value: string | number | bigint): Buffer {
  if (typeof type === 'object' || type === 'boolean' || type === 'uuid')
    throw new TypeError(`column ${name} cannot hold one ${typeof value} in all rows`)
  const bytes = Buffer.alloc(8)
  switch (type) {
    case 'string':
    case 'binary':
      return withLength(Buffer.from(String(value)))
    case 'long':
    case 'timestamp':
    case 'timestampNtz':
    case 'time':
      bytes.writeBigInt64LE(BigInt(value))
      return bytes
    case 'double':
      bytes.writeDoubleLE(Number(value))
      return bytes
    case 'float':
      bytes.writeFloatLE(Number(value))
      return bytes.subarray(0, 4)
    case 'int':
    case 'date':
      bytes.writeInt32LE(Number(value))
      return bytes.subarray(0, 4)
  }
}

function withLength(content: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32LE(content.length)
  return Buffer.concat([prefix, content])
}
