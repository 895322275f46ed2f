import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { crc32, zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import avro from 'avsc'
import { AvroError } from '../../../consumer/avro/byte-reader.ts'
import { decodeContainer, encodeContainer } from '../../../consumer/avro/container.ts'
import { longs } from '../../fakes/avro.ts'

const SCHEMA = {
  type: 'record',
  name: 'manifest_entry',
  'schema-note': 'kept',
  fields: [
    { name: 'status', type: 'int', 'field-id': 0 },
    { name: 'snapshot_id', type: ['null', 'long'], default: null, 'field-id': 1 },
    {
      name: 'data_file',
      'field-id': 2,
      type: {
        type: 'record',
        name: 'r2',
        fields: [
          { name: 'file_path', type: 'string', 'field-id': 100 },
          {
            name: 'lower_bounds',
            'field-id': 125,
            type: [
              'null',
              {
                type: 'array',
                logicalType: 'map',
                items: {
                  type: 'record',
                  name: 'k126_v127',
                  fields: [
                    { name: 'key', type: 'int', 'field-id': 126 },
                    { name: 'value', type: 'bytes', 'field-id': 127 }
                  ]
                }
              }
            ]
          },
          { name: 'split_offsets', 'field-id': 132, type: { type: 'array', items: 'long', 'element-id': 133 } },
          { name: 'tags', type: { type: 'map', values: ['null', 'double', 'boolean'] } },
          { name: 'kind', type: { type: 'enum', name: 'kind', symbols: ['data', 'deletes'] } },
          { name: 'id', type: { type: 'fixed', name: 'id', size: 4 } }
        ]
      }
    }
  ]
}

const entry = (index: number) => ({
  status: index % 3,
  snapshot_id: index % 4 === 0 ? null : index % 4 === 1 ? 9_007_199_254_740_993n + BigInt(index) : -index,
  data_file: {
    file_path: `s3://lake/t/ä-${index}.parquet`,
    lower_bounds: index % 2 === 0 ? null : [{ key: index, value: Buffer.from([index & 255, 0]) }],
    split_offsets: [4, -(2n ** 63n), 2n ** 63n - 1n, -1, 2 ** 52].slice(0, index % 6),
    tags: new Map<string, unknown>([
      ['a', 1.5],
      ['b', null],
      ['c', true]
    ]),
    kind: index % 2 === 0 ? 'data' : 'deletes',
    id: Buffer.from([1, 2, 3, 4])
  }
})
const ENTRIES = Array.from({ length: 500 }, (_, index) => entry(index))

test('records, metadata and every attribute of the schema come back, with either codec', () => {
  for (const codec of ['deflate', 'null'] as const) {
    const file = encodeContainer(SCHEMA, ENTRIES, { 'format-version': '2', content: 'data' }, codec)
    const read = decodeContainer(file)
    assert.deepEqual(read.schema, SCHEMA)
    assert.deepEqual(read.metadata, { 'avro.codec': codec, 'format-version': '2', content: 'data' })
    assert.deepEqual(read.records, ENTRIES)
    assert.deepEqual(encodeContainer(SCHEMA, ENTRIES, { 'format-version': '2', content: 'data' }, codec), file)
  }
})

test('a file without records has its schema', () => {
  const read = decodeContainer(encodeContainer(SCHEMA, [], {}, 'deflate'))
  assert.deepEqual([read.schema, read.records], [SCHEMA, []])
})

test('many blocks hold what one does', () => {
  const schema = { type: 'record', name: 'r', fields: [{ name: 'text', type: 'string' }] }
  const records = Array.from({ length: 40 }, (_, index) => ({ text: String(index).repeat(50_000) }))
  assert.deepEqual(decodeContainer(encodeContainer(schema, records, {}, 'null')).records, records)
})

const OTHER = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'n', type: 'long' },
    { name: 's', type: ['null', 'string'] },
    { name: 'b', type: 'boolean' },
    { name: 'f', type: 'float' }
  ]
}
const others = Array.from({ length: 300 }, (_, index) => ({
  n: BigInt(index) * (index % 2 === 0 ? 10n ** 15n : -1n),
  s: index % 3 === 0 ? null : `text ${index}`,
  b: index % 2 === 0,
  f: index / 4
}))
const asRead = others.map(each => ({ ...each, n: Number.isSafeInteger(Number(each.n)) ? Number(each.n) : each.n }))

test('another library reads what we write', async () => {
  const decoder = new avro.streams.BlockDecoder({
    parseHook: schema => avro.Type.forSchema(schema, { registry: { long: longs }, wrapUnions: false })
  })
  const read: unknown[] = []
  decoder.on('data', each => read.push({ ...each }))
  decoder.end(encodeContainer(OTHER, others, {}, 'deflate'))
  await once(decoder, 'end')
  assert.deepEqual(read, others)
})

test('we read what another library writes, with each codec', async () => {
  const snappy = (data: Buffer) => {
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32BE(crc32(data))
    return Buffer.concat([compressionsAlgorithms.snappy.compressSync(data), checksum])
  }
  const codecs: Record<string, (data: Buffer) => Buffer> = { snappy, zstandard: data => zstdCompressSync(data) }
  for (const codec of ['null', 'deflate', 'snappy', 'zstandard']) {
    const own = codecs[codec]
    const type = avro.Type.forSchema(OTHER as avro.Schema, { registry: { long: longs }, wrapUnions: false })
    const encoder = new avro.streams.BlockEncoder(type, {
      codec,
      ...(own === undefined ? {} : { codecs: { [codec]: (data: Buffer, done) => done(null, own(data)) } })
    })
    const pieces: Buffer[] = []
    encoder.on('data', (piece: Buffer) => pieces.push(piece))
    for (const each of others) encoder.write(each)
    encoder.end()
    await once(encoder, 'end')
    assert.deepEqual(decodeContainer(Buffer.concat(pieces)).records, asRead, codec)
  }
})

test('a record that the schema cannot hold is refused by the name of its field', () => {
  const bad = { ...entry(1), data_file: { ...entry(1).data_file, split_offsets: [1.5] } }
  assert.throws(() => encodeContainer(SCHEMA, [bad], {}, 'null'), /data_file: split_offsets: expected an integer of 64/)
})

test('files that are cut off, changed or endless are refused', () => {
  const file = encodeContainer(SCHEMA, ENTRIES.slice(0, 20), {}, 'null')
  assert.throws(() => decodeContainer(Buffer.from('PAR1 and so on, which is no Avro')), AvroError)
  for (let length = 0; length < file.length - 1; length += 7) {
    // Cut after the header alone, it is a file without records.
    if (length === 0 || file.subarray(0, length).indexOf('avro.codec') < 0) continue
    try {
      assert.deepEqual(decodeContainer(file.subarray(0, length)).records, [])
    } catch (error) {
      assert.ok(error instanceof AvroError, String(error))
    }
  }
  const empty = { type: 'record', name: 'r', fields: [{ name: 'a', type: { type: 'array', items: 'null' } }] }
  const many = encodeContainer(empty, [{ a: [null] }], {}, 'null')
  // One item becomes 2^40 of them: a count alone must not cost time.
  const at = many.lastIndexOf(Buffer.from([2, 6 - 2, 2, 0]))
  assert.ok(at > 0)
  const count = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x40])
  const endless = Buffer.concat([
    many.subarray(0, at),
    Buffer.from([2, 14]),
    count,
    Buffer.from([0]),
    many.subarray(at + 4)
  ])
  assert.throws(() => decodeContainer(endless), /without bytes/)
  const bomb = encodeContainer(OTHER, [{ n: 1, s: 'x'.repeat(1 << 20), b: true, f: 0 }], {}, 'deflate')
  assert.throws(() => decodeContainer(bomb, 1000), AvroError)
})
