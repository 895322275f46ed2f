import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { type RecordBatch, RecordCursor } from '../../../consumer/record-batch.ts'
import { AbortedTransactions, type AbortedTransaction } from '../../../consumer/source/aborted-transactions.ts'
import { MAX_DECOMPRESSED_BYTES, decompress } from '../../../consumer/source/codecs.ts'
import { ChecksumError, RecordSet, summarize } from '../../../consumer/source/record-set.ts'
import { LOG_APPEND_TIME, TRANSACTIONAL, buildBatch, buildMarker, sealBatch } from './batch-builder.ts'

const PARTITION = { topic: 'orders', topicId: 'id', partition: 0 }

function read(set: Buffer, from = 0, aborted: readonly AbortedTransaction[] = [], isBelieved = true): RecordBatch[] {
  const reader = new RecordSet(PARTITION, set, from, new AbortedTransactions(aborted))
  const batches: RecordBatch[] = []
  for (let batch = reader.next(isBelieved); batch !== undefined; batch = reader.next(isBelieved)) batches.push(batch)
  return batches
}

function offsetsAndValues(batches: readonly RecordBatch[]): [number, string | null][] {
  const found: [number, string | null][] = []
  const cursor = new RecordCursor()
  for (const batch of batches) {
    if (batch.kind !== 'data') continue
    cursor.reset(batch)
    while (cursor.next()) {
      const { offset, bytes, valueStart, valueLength } = cursor
      found.push([offset, valueLength < 0 ? null : bytes.toString('utf8', valueStart, valueStart + valueLength)])
    }
  }
  return found
}

const values = (...texts: (string | null)[]) => texts.map(value => ({ key: 'k', value }))

for (const codec of [0, 1, 2, 3, 4] as const) {
  test(`codec ${codec} gives the records as they were produced, tombstones too`, () => {
    const set = buildBatch({ baseOffset: 7, codec, records: values('a', null, 'ccc'.repeat(500)) })
    assert.deepEqual(offsetsAndValues(read(set)), [
      [7, 'a'],
      [8, null],
      [9, 'ccc'.repeat(500)]
    ])
  })
}

test('snappy in the framing of Java producers is read chunk by chunk', () => {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const chunks = ['first ', 'second'].map(text => {
    const chunk = compressionsAlgorithms.snappy.compressSync(Buffer.from(text))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(chunk.length)
    return Buffer.concat([length, chunk])
  })
  assert.equal(decompress(2, Buffer.concat([header, ...chunks])).toString(), 'first second')
})

test('a bomb is refused by every codec before it takes memory', () => {
  const zeros = Buffer.alloc(3 << 20)
  const bombs = new Map([
    [1, gzipSync(zeros)],
    [2, compressionsAlgorithms.snappy.compressSync(zeros)],
    [4, zstdCompressSync(zeros)]
  ])
  for (const [codec, bomb] of bombs) assert.throws(() => decompress(codec, bomb, 1 << 20), `codec ${codec}`)
  const large = compressionsAlgorithms.lz4.compressSync(Buffer.alloc(12 << 20))
  assert.throws(() => decompress(3, large, 1 << 20), RangeError)
  assert.ok(MAX_DECOMPRESSED_BYTES < 256 << 20)
})

test('records below the offset asked for are left out when it lies inside a batch', () => {
  const set = buildBatch({ baseOffset: 10, codec: 4, records: values('a', 'b', 'c') })
  const batches = read(set, 11)
  assert.deepEqual(offsetsAndValues(batches), [
    [11, 'b'],
    [12, 'c']
  ])
  assert.equal(batches[0]?.count, 2)
})

test('a compacted batch keeps its last offset though its last records are gone', () => {
  const set = buildBatch({
    baseOffset: 20,
    lastOffsetDelta: 9,
    records: [
      { offsetDelta: 2, value: 'x' },
      { offsetDelta: 5, value: 'y' }
    ]
  })
  const batches = read(set)
  assert.deepEqual(offsetsAndValues(batches), [
    [22, 'x'],
    [25, 'y']
  ])
  assert.equal(batches[0]?.nextOffset, 30)
  assert.deepEqual(summarize(set, 20), { nextOffset: 30, leaderEpoch: 0 })
})

test('a compacted batch whose remaining records lie below the offset moves the offset alone', () => {
  const set = buildBatch({ baseOffset: 20, lastOffsetDelta: 9, records: [{ offsetDelta: 2, value: 'x' }] })
  const [batch] = read(set, 25)
  assert.equal(batch?.kind, 'skip')
  assert.equal(batch?.nextOffset, 30)
})

test('an empty batch that compaction left moves the offset alone', () => {
  const [batch] = read(buildBatch({ baseOffset: 5, lastOffsetDelta: 3, records: [] }))
  assert.deepEqual([batch?.kind, batch?.nextOffset], ['skip', 9])
})

test('append time holds for every record, create time is relative to the first', () => {
  const create = read(buildBatch({ baseOffset: 0, baseTimestamp: 5000, records: [{}, { timestampDelta: 7 }] }))[0]
  const append = read(
    buildBatch({ baseOffset: 0, attributes: LOG_APPEND_TIME, maxTimestamp: 9000, records: [{}, {}] })
  )[0]
  assert.deepEqual([create?.baseTimestampMs, create?.logAppendTimeMs], [5000, undefined])
  assert.equal(append?.logAppendTimeMs, 9000)
})

test('the last batch, cut off at the byte limit, is left for the next fetch', () => {
  const whole = buildBatch({ baseOffset: 0, records: values('a') })
  const cut = buildBatch({ baseOffset: 1, records: values('b') })
  for (const length of [1, 16, 40, 61, cut.length - 1]) {
    const set = Buffer.concat([whole, cut.subarray(0, length)])
    assert.deepEqual(offsetsAndValues(read(set)), [[0, 'a']], `cut to ${length}`)
    assert.equal(summarize(set, 0).nextOffset, 1)
  }
})

test('aborted transactions and markers are skipped, the committed one of another producer is not', () => {
  const txn = (baseOffset: number, producerId: number, text: string) =>
    buildBatch({ baseOffset, producerId, attributes: TRANSACTIONAL, records: values(text) })
  const set = Buffer.concat([
    txn(0, 1, 'aborted 1'),
    txn(1, 2, 'committed'),
    txn(2, 1, 'aborted 2'),
    buildMarker(3, 1, 'abort'),
    buildMarker(4, 2, 'commit'),
    txn(5, 1, 'later, committed'),
    buildMarker(6, 1, 'commit')
  ])
  const batches = read(set, 0, [{ producerId: 1n, firstOffset: 0 }])
  assert.deepEqual(offsetsAndValues(batches), [
    [1, 'committed'],
    [5, 'later, committed']
  ])
  assert.deepEqual(
    batches.map(({ kind }) => kind),
    ['skip', 'data', 'skip', 'skip', 'skip', 'data', 'skip']
  )
  assert.equal(batches.at(-1)?.nextOffset, 7)
})

test('a wrong checksum throws until it is believed, then the batch is corrupt with its bytes, and the next is read', () => {
  const bad = buildBatch({ baseOffset: 0, records: values('a', 'b') })
  bad[70] = (bad[70] ?? 0) ^ 0xff
  const set = Buffer.concat([bad, buildBatch({ baseOffset: 2, records: values('c') })])
  const reader = new RecordSet(PARTITION, set, 0, new AbortedTransactions([]))
  assert.throws(() => reader.next(false), ChecksumError)
  assert.equal(reader.nextOffset, 0)
  const batches = read(set)
  assert.deepEqual(
    batches.map(({ kind, nextOffset }) => [kind, nextOffset]),
    [
      ['corrupt', 2],
      ['data', 3]
    ]
  )
  assert.ok(batches[0]?.records.equals(bad))
})

test('a damaged last offset does not lead over the batches that follow', () => {
  const bad = buildBatch({ baseOffset: 0, records: values('a', 'b') })
  bad.writeInt32BE(1000, 23)
  const set = Buffer.concat([bad, buildBatch({ baseOffset: 2, records: values('c') })])
  assert.deepEqual(offsetsAndValues(read(set)), [[2, 'c']])
  assert.equal(summarize(set, 0).nextOffset, 3)
})

test('a batch that was asked for alone and is not whole is corrupt, so that reading goes on', () => {
  const cut = buildBatch({ baseOffset: 4, records: values('a') }).subarray(0, 65)
  for (const set of [cut, cut.subarray(0, 10)]) {
    const reader = new RecordSet(PARTITION, set, 4, new AbortedTransactions([]), true)
    assert.equal(summarize(set, 4, true).nextOffset, 5)
    const batch = reader.next(false)
    assert.deepEqual([batch?.kind, batch?.nextOffset, batch?.records.length], ['corrupt', 5, set.length])
    assert.equal(reader.next(false), undefined)
  }
})

test('a batch whose bytes do not decompress is corrupt with its bytes', () => {
  for (const codec of [1, 2, 3, 4] as const) {
    const batch = buildBatch({ baseOffset: 0, codec, records: values('a'.repeat(100)) })
    batch.fill(0xee, 61, 75)
    const [read1] = read(sealBatch(batch))
    assert.equal(read1?.kind, 'corrupt', `codec ${codec}`)
    assert.ok(read1.records.equals(batch))
    assert.ok((read1.reason ?? '').length > 0)
  }
})

test('record lengths that do not fill the batch make it corrupt', () => {
  const batch = buildBatch({ baseOffset: 0, records: values('abc') })
  assert.equal(
    read(sealBatch(Buffer.concat([batch.subarray(0, 8), resized(batch, 3), batch.subarray(12), Buffer.alloc(3)])))[0]
      ?.kind,
    'corrupt'
  )
  const longer = Buffer.from(batch)
  longer[61] = (longer[61] ?? 0) + 8
  assert.equal(read(sealBatch(longer))[0]?.kind, 'corrupt')
})

function resized(batch: Buffer, by: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(batch.readInt32BE(8) + by)
  return length
}

test('an old record format is corrupt with its bytes and named', () => {
  const old = Buffer.alloc(40)
  old.writeInt32BE(28, 8)
  old.writeInt8(1, 16)
  const batches = read(Buffer.concat([old, buildBatch({ baseOffset: 1, records: values('a') })]))
  assert.match(batches[0]?.reason ?? '', /record format 1/)
  assert.deepEqual(offsetsAndValues(batches), [[1, 'a']])
})

test('mutated bytes never hang, never throw and never go back', () => {
  let seed = 20_251_121
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const cursor = new RecordCursor()
  for (let round = 0; round < 4000; round++) {
    const codec = (round % 5) as 0 | 1 | 2 | 3 | 4
    const batches = [0, 3, 6].map(baseOffset =>
      buildBatch({ baseOffset, codec, records: values('abc', null, 'x'.repeat(40)) })
    )
    const mutated = batches[random(3)] ?? Buffer.alloc(0)
    for (let count = 1 + random(4); count > 0; count--) mutated[random(mutated.length)] = random(256)
    if (random(2) === 0) sealBatch(mutated)
    const set = Buffer.concat(batches).subarray(0, random(3) === 0 ? random(mutated.length * 3) : undefined)
    const from = random(9)
    let next = from
    const summary = summarize(set, from)
    for (const batch of read(set, from, [{ producerId: -1n, firstOffset: random(9) }])) {
      assert.ok(batch.nextOffset > next, `round ${round}`)
      next = batch.nextOffset
      if (batch.kind !== 'data') continue
      cursor.reset(batch)
      try {
        while (cursor.next());
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }
    assert.equal(next, summary.nextOffset, 'what is fetched next follows what was taken')
  }
})
