import { createHash } from 'node:crypto'
import { constants, crc32, deflateRawSync, inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { decompress } from '../source/codecs.ts'
import { AvroError, ByteReader, MAX_EMPTY_ITEMS } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { schemaOf } from './parse-schema.ts'
import { valueReader } from './read-value.ts'
import { valueWriter } from './write-value.ts'

/** An object container file (Avro 1.12, "Object Container Files") that was read. */
export interface Container {
  /** As the file has it, with all its attributes. */
  readonly schema: unknown
  /** All of the header's but `avro.schema`. */
  readonly metadata: Readonly<Record<string, string>>
  /** Values as `valueReader` gives them: longs are numbers while they are safe integers, else bigints. */
  readonly records: readonly unknown[]
}

const MAGIC = Buffer.from('Obj\u0001', 'latin1')
const SYNC_BYTES = 16
/** Records of a block gather to about so much before it is compressed. */
const BLOCK_BYTES = 1 << 20
/** A file that becomes larger is taken for a bomb. */
const MAX_BYTES = 512 << 20
const METADATA = { kind: 'map', values: { kind: 'bytes' } } as const

/**
 * Encodes records as a container file. The schema's attributes stay as they are, known to Avro or not. The same
 * arguments give the same bytes. Throws TypeError for a record that the schema cannot hold, SchemaError for what is no
 * schema.
 */
export function encodeContainer(
  schema: object,
  records: readonly unknown[],
  metadata: Readonly<Record<string, string>>,
  codec: 'deflate' | 'null'
): Buffer {
  const text = JSON.stringify(schema)
  const header = { 'avro.schema': text, 'avro.codec': codec, ...metadata }
  // The marker only has to be unlikely within data: the same file needs no other.
  const sync = createHash('md5').update(JSON.stringify(header)).digest()
  const write = valueWriter(schemaOf(schema))
  const pieces: Buffer[] = [encodeHeader(header, sync)]
  const block = new ByteWriter()
  let count = 0
  const endBlock = () => {
    if (count > 0) pieces.push(encodeBlock(block.view(), count, codec, sync))
    block.clear()
    count = 0
  }
  for (const record of records) {
    write(block, record)
    count++
    if (block.length >= BLOCK_BYTES) endBlock()
  }
  endBlock()
  return Buffer.concat(pieces)
}

/** Throws AvroError or SchemaError for what is no container file, or one of a codec that is not known. */
export function decodeContainer(bytes: Buffer, maxBytes = MAX_BYTES): Container {
  const from = new ByteReader(bytes)
  if (!from.take(MAGIC.length).equals(MAGIC)) throw new AvroError('not an Avro container file')
  const header = valueReader(METADATA)(from) as Map<string, Buffer>
  const sync = from.take(SYNC_BYTES)
  const schema = parseHeader(header.get('avro.schema'))
  const codec = header.get('avro.codec')?.toString() ?? 'null'
  const read = valueReader(schemaOf(schema))
  const records: unknown[] = []
  let left = maxBytes
  while (from.left > 0) {
    const count = from.size()
    const start = from.size()
    const content = inflated(codec, bytes.subarray(from.skip(start), from.position), left)
    left -= content.length
    if (!from.take(SYNC_BYTES).equals(sync)) throw new AvroError('a block does not end with the marker')
    readBlock(content, count, read, records)
  }
  const metadata = [...header].filter(([key]) => key !== 'avro.schema').map(([key, value]) => [key, value.toString()])
  return { schema, metadata: Object.fromEntries(metadata) as Record<string, string>, records }
}

function encodeHeader(header: Readonly<Record<string, string>>, sync: Buffer): Buffer {
  const to = new ByteWriter()
  to.raw(MAGIC)
  valueWriter(METADATA)(to, new Map(Object.entries(header).map(([key, value]) => [key, Buffer.from(value)])))
  to.raw(sync)
  return Buffer.from(to.view())
}

function encodeBlock(content: Buffer, count: number, codec: 'deflate' | 'null', sync: Buffer): Buffer {
  const to = new ByteWriter()
  to.long(count)
  to.bytes(codec === 'deflate' ? deflateRawSync(content) : content)
  to.raw(sync)
  return Buffer.from(to.view())
}

function parseHeader(schema: Buffer | undefined): unknown {
  if (schema === undefined) throw new AvroError('the container file has no schema')
  try {
    return JSON.parse(schema.toString())
  } catch {
    throw new AvroError('the schema of the container file is not JSON')
  }
}

function readBlock(content: Buffer, count: number, read: (from: ByteReader) => unknown, into: unknown[]): void {
  if (count > content.length + MAX_EMPTY_ITEMS)
    throw new AvroError(`a block of ${content.length} bytes has ${count} records`)
  const from = new ByteReader(content)
  for (let index = 0; index < count; index++) into.push(read(from))
  if (from.left > 0) throw new AvroError('a block is longer than its records')
}

function inflated(codec: string, block: Buffer, maxBytes: number): Buffer {
  try {
    switch (codec) {
      case 'null':
        return block
      case 'deflate':
        return inflateRawSync(block, { maxOutputLength: maxBytes })
      case 'snappy':
        return unsnapped(block, maxBytes)
      case 'zstandard':
        return zstdDecompressSync(block, { maxOutputLength: maxBytes, params: { [constants.ZSTD_d_windowLogMax]: 27 } })
    }
  } catch (error) {
    throw new AvroError(`a block is not ${codec}`, { cause: error })
  }
  throw new AvroError(`the codec ${JSON.stringify(codec.slice(0, 20))} is not known`)
}

/** The compressed bytes, then the checksum of what they become. */
function unsnapped(block: Buffer, maxBytes: number): Buffer {
  const content = decompress(2, block.subarray(0, -4), maxBytes)
  if (crc32(content) !== block.readUInt32BE(block.length - 4)) throw new AvroError('the checksum differs')
  return content
}
