import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiftedType } from '../../../crds/settled.ts'
import { compilePointers } from '../../../consumer/decode/json-path.ts'
import { JsonScanner } from '../../../consumer/decode/json-scanner.ts'
import { emptyLifted, HELD, liftJson, liftText, type Lifted } from '../../../consumer/decode/lift.ts'

const WRONG = Symbol('wrong type')

test('JSON values become column values by the rules of their type', () => {
  const cases: readonly (readonly [LiftedType, string, unknown])[] = [
    ['String', '"text"', 'text'],
    ['String', '""', ''],
    ['String', '"a\\u00e9\\n\\ud83d\\ude00"', 'aé\n😀'],
    ['String', '"\\ud800x"', '\ufffdx'],
    ['String', '12.50', '12.50'],
    ['String', 'true', 'true'],
    ['String', '{"a": [1]}', '{"a": [1]}'],
    ['String', '[ ]', '[ ]'],
    ['String', 'null', null],
    ['Int', '2147483647', 2147483647],
    ['Int', '-2147483648', -2147483648],
    ['Int', '2147483648', WRONG],
    ['Int', '-2147483649', WRONG],
    ['Int', '1.0', 1],
    ['Int', '12e2', 1200],
    ['Int', '1.5', WRONG],
    ['Int', '"1"', WRONG],
    ['Int', '-0', 0],
    ['Int', '1e99', WRONG],
    ['Int', 'true', WRONG],
    ['Int', '[1]', WRONG],
    ['Int', 'null', null],
    ['Long', '9007199254740991', 9007199254740991],
    ['Long', '9007199254740993', 9007199254740993n],
    ['Long', '9223372036854775807', 9223372036854775807n],
    ['Long', '-9223372036854775808', -9223372036854775808n],
    ['Long', '9223372036854775808', WRONG],
    ['Long', '99999999999999999999', WRONG],
    ['Long', '1e3', 1000],
    ['Long', '1e18', WRONG],
    ['Long', '0.1', WRONG],
    ['Double', '1', 1],
    ['Double', '-12.75e-3', -0.01275],
    ['Double', '123456789012345678', 123456789012345680],
    ['Double', '1e400', WRONG],
    ['Double', '"1.5"', WRONG],
    ['Boolean', 'true', true],
    ['Boolean', 'false', false],
    ['Boolean', '1', WRONG],
    ['Boolean', '"true"', WRONG],
    ['Timestamp', '1700000000000', 1700000000000000],
    ['Timestamp', '-1', -1000],
    ['Timestamp', '1700000000000.5', WRONG],
    ['Timestamp', '253402300799999', 253402300799999000n],
    ['Timestamp', '253402300800000', WRONG],
    ['Timestamp', '"2023-11-14T22:13:20Z"', 1700000000000000],
    ['Timestamp', '"2023-11-14T22:13:20.123456789+01:30"', 1699994600123456],
    ['Timestamp', '"2023-11-14\\u005422:13:20Z"', 1700000000000000],
    ['Timestamp', '"2023-11-14T22:13:20"', WRONG],
    ['Timestamp', '"2023-11-14"', WRONG],
    ['Timestamp', 'true', WRONG]
  ]
  for (const [type, json, expected] of cases) assert.deepEqual(fromJson(type, json), expected, `${type} ${json}`)
})

test('keys and headers become column values by the same rules', () => {
  const cases: readonly (readonly [LiftedType, string, unknown])[] = [
    ['String', '12', '12'],
    ['String', '', ''],
    ['String', '"quoted"', '"quoted"'],
    ['Int', '12', 12],
    ['Int', '', WRONG],
    ['Int', '0x1', WRONG],
    ['Int', ' 1', WRONG],
    ['Int', '01', WRONG],
    ['Long', '9223372036854775807', 9223372036854775807n],
    ['Double', '1e-3', 0.001],
    ['Double', 'NaN', WRONG],
    ['Boolean', 'true', true],
    ['Boolean', 'TRUE', WRONG],
    ['Timestamp', '2023-11-14T22:13:20Z', 1700000000000000],
    ['Timestamp', '1700000000000', 1700000000000000],
    ['Long', '1'.repeat(500), WRONG]
  ]
  for (const [type, text, expected] of cases) {
    const bytes = Buffer.from(`,${text},`)
    const into = emptyLifted()
    const fits = liftText(type, bytes, 1, bytes.length - 2, into)
    assert.deepEqual(fits ? valueOf(into, bytes) : WRONG, expected, `${type} ${text}`)
  }
  const into = { ...emptyLifted(), held: HELD.NUMBER }
  assert.ok(liftText('Int', Buffer.alloc(0), 0, -1, into), 'null is null, whatever the type')
  assert.equal(into.held, HELD.NULL)
})

function fromJson(type: LiftedType, json: string): unknown {
  const bytes = Buffer.from(`{"x":${json}}`)
  const scanner = new JsonScanner(compilePointers(['/x']), 1)
  assert.ok(scanner.scan(bytes, 0, bytes.length), json)
  const into = emptyLifted()
  const [kind = 0, start = 0, end = 0] = [scanner.kinds[0], scanner.starts[0], scanner.ends[0]]
  return liftJson(type, kind, bytes, start, end, into) ? valueOf(into, bytes) : WRONG
}

function valueOf(lifted: Lifted, bytes: Buffer): unknown {
  switch (lifted.held) {
    case HELD.NULL:
      return null
    case HELD.BYTES:
      return bytes.toString('utf8', lifted.start, lifted.start + lifted.length)
    case HELD.OWN_BYTES:
      return lifted.bytes.toString()
    case HELD.BIG:
      return lifted.big
    case HELD.BOOLEAN:
      return lifted.number === 1
    default:
      return lifted.number
  }
}
