import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiftedColumn, SettledSchema } from '../../../crds/settled.ts'
import { HeaderIndex } from '../../../consumer/decode/header-index.ts'
import { HELD, type Lifted } from '../../../consumer/decode/lift.ts'
import { Lifter } from '../../../consumer/decode/lifter.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { dataBatch, type FakeRecord } from '../../fakes/records.ts'

const column = (name: string, type: LiftedColumn['type'], more: Partial<LiftedColumn> = {}): LiftedColumn => ({
  name,
  type,
  from: { kind: 'value', pointer: `/${name}` },
  required: false,
  ...more
})

const COLUMNS = [
  column('id', 'Long', { required: true }),
  column('price', 'Decimal', { precision: 6, scale: 2 }),
  column('day', 'Date'),
  column('service', 'String', { from: { kind: 'header', header: 'x-service' } })
]

const DECLARED: SettledSchema = { mode: 'Declared', onIncompatible: 'DeadLetter', onMismatch: 'DeadLetter' }

test('a declared column that cannot take its value makes the record a dead letter', () => {
  assert.deepEqual(looked({ value: '{"id": 1, "price": 12.5, "day": "2024-02-29"}' }), ['1', '1250', '19782', null])
  const long = looked({ value: '{"id": 1, "price": 12.505}' })
  assert.match(String(long), /^WrongType: column price \(value \/price\) expects Decimal\(6, 2\)/)
  assert.match(String(looked({ value: '{"id": 1, "day": "2023-02-29"}' })), /^WrongType: column day .* expects Date/)
  assert.match(String(looked({ value: '{"price": 1}' })), /^MissingColumn: column id/)
  assert.match(String(looked({ value: '{"id": 1' })), /^InvalidJson/)
})

test('with onMismatch Null it is null, and its name is kept in the order of the columns', () => {
  const lifter = new Lifter({ format: 'Json', columns: COLUMNS, schema: { ...DECLARED, onMismatch: 'SetNull' } })
  const mismatches = (record: FakeRecord) => [looked(record, lifter), textOf(lifter.mismatches)]
  assert.deepEqual(mismatches({ value: '{"id": 1, "price": 1, "day": "2024-02-29"}' }), [
    ['1', '100', '19782', null],
    null
  ])
  const three = { value: '{"day": 5, "price": "x"}' }
  assert.deepEqual(mismatches(three), [[null, null, null, null], 'id,price,day'])
  assert.deepEqual(mismatches(three), [[null, null, null, null], 'id,price,day'])
  assert.deepEqual(mismatches({ value: '{"id": null, "price": 2}' }), [[null, '200', null, null], 'id'])
  assert.deepEqual(mismatches({ value: '{"id": 3}' }), [['3', null, null, null], null])
  const header: FakeRecord = { value: '{"id": 3}', headers: [['x-service', Buffer.from([0xff])]] }
  assert.deepEqual(mismatches(header), [['3', null, null, null], 'service'])
  assert.deepEqual(mismatches({ value: null }), [[null, null, null, null], null], 'a tombstone has no value to miss')
})

test('with onMismatch Null the value must be JSON in UTF-8 all the same', () => {
  const lifter = new Lifter({ format: 'Json', columns: COLUMNS, schema: { ...DECLARED, onMismatch: 'SetNull' } })
  assert.match(String(looked({ value: '{"id": 1,}' }, lifter)), /^InvalidJson/)
  assert.match(String(looked({ value: Buffer.from([0x22, 0xff, 0x22]) }, lifter)), /^InvalidUtf8/)
  assert.deepEqual(looked({ value: '7' }, lifter), [null, null, null, null], 'JSON that is no object has no columns')
  assert.equal(textOf(lifter.mismatches), 'id')
})

test('columns lifted beside inferred ones leave the value alone unless they want a part of it', () => {
  const schema: SettledSchema = { ...DECLARED, mode: 'Inferred' }
  const headers = new Lifter({ format: 'Json', columns: COLUMNS.slice(3), schema })
  assert.deepEqual(looked({ value: 'no JSON' }, headers), [null])
  const values = new Lifter({ format: 'Json', columns: COLUMNS, schema })
  assert.match(String(looked({ value: 'no JSON' }, values)), /^InvalidJson/)
})

const plain = new Lifter({ format: 'Json', columns: COLUMNS, schema: DECLARED })

/** What was lifted, as text; or what is wrong. */
function looked(record: FakeRecord, lifter = plain): unknown {
  const cursor = new RecordCursor()
  cursor.reset(dataBatch({ topic: 'orders', topicId: 'id', partition: 0 }, 0, [record]))
  assert.ok(cursor.next())
  const headers = new HeaderIndex()
  headers.read(cursor)
  const found = lifter.check(cursor, headers)
  if (found !== undefined) return `${found.reason}: ${found.message}`
  return lifter.lifted.map(each => textOf(each, cursor.bytes))
}

function textOf(lifted: Lifted, bytes?: Buffer): string | null {
  switch (lifted.held) {
    case HELD.NULL:
      return null
    case HELD.BYTES:
      return bytes?.toString('utf8', lifted.start, lifted.start + lifted.length) ?? ''
    case HELD.OWN_BYTES:
      return lifted.bytes.toString()
    default:
      return String(lifted.held === HELD.BIG ? lifted.big : lifted.number)
  }
}
