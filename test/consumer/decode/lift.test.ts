import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiftedType } from '../../../crds/settled.ts'
import { compilePointers } from '../../../consumer/decode/json-path.ts'
import { JsonScanner } from '../../../consumer/decode/json-scanner.ts'
import { emptyLifted, HELD, liftJson, liftText, type Lifted, type LiftTarget } from '../../../consumer/decode/lift.ts'

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
    ['Long', '1e18', 10n ** 18n],
    ['Long', '922337203685477580.70e1', 9223372036854775807n],
    ['Long', '922337203685477580.71e1', WRONG],
    ['Long', '9007199254740990.6', WRONG],
    ['Long', '1.0000000000000000001', WRONG],
    ['Long', '1e19', WRONG],
    ['Long', '1e999999999999999999999', WRONG],
    ['Long', '0e99', 0],
    ['Long', '0.1', WRONG],
    ['Int', '0.99999999999999999999', WRONG],
    ['Float', '1.5', 1.5],
    ['Float', '16777217', 16777217],
    ['Float', '3.4028235e38', 3.4028235e38],
    ['Float', '3.5e38', WRONG],
    ['Float', '1e400', WRONG],
    ['Float', '"1.5"', WRONG],
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
    ['Timestamp', 'true', WRONG],
    ['Date', '"1970-01-02"', 1],
    ['Date', '"2024-02-2\\u0039"', 19782],
    ['Date', '"2023-02-29"', WRONG],
    ['Date', '"2023-02-28T00:00:00Z"', WRONG],
    ['Date', '19782', WRONG],
    ['Date', `"${'1'.repeat(500)}"`, WRONG],
    ['Date', 'null', null]
  ]
  for (const [type, json, expected] of cases) {
    assert.deepEqual(fromJson(target(type), json), expected, `${type} ${json}`)
  }
})

test('decimals are exact or wrong, from numbers and from text', () => {
  const cases: readonly (readonly [precision: number, scale: number, json: string, unscaled: unknown])[] = [
    [12, 2, '12.5', 1250],
    [12, 2, '-12.50', -1250],
    [12, 2, '"12.50"', 1250],
    [12, 2, '"1\\u0032.50"', 1250],
    [12, 2, '12.500', 1250],
    [12, 2, '12.505', WRONG],
    [12, 2, '1250e-2', 1250],
    [12, 2, '1.25e1', 1250],
    [12, 2, '0.125E+3', 12500],
    [12, 2, '1e-2', 1],
    [12, 2, '1e-3', WRONG],
    [12, 2, '9999999999.99', 999999999999],
    [12, 2, '10000000000', WRONG],
    [12, 2, '1e10', WRONG],
    [12, 2, '0', 0],
    [12, 2, '-0.000', 0],
    [12, 2, '0e99', 0],
    [12, 2, '1e99999999999', WRONG],
    [12, 2, '1e-99999999999', WRONG],
    [2, 2, '0.99', 99],
    [15, 0, '999999999999999', 999999999999999],
    [14, 0, '999999999999999', WRONG],
    [15, 14, '9.9999999999999', 99999999999999 * 10],
    [20, 18, '1.5', 1500000000000000000n],
    [3, 1, '-99.9', -999],
    [3, 1, '-100.0', WRONG],
    [12, 2, '"1.2.3"', WRONG],
    [12, 2, '"-"', WRONG],
    [12, 2, '".5"', WRONG],
    [12, 2, '"5."', WRONG],
    [2, 2, '1', WRONG],
    [38, 0, '9'.repeat(38), BigInt('9'.repeat(38))],
    [38, 0, `-${'9'.repeat(38)}`, -BigInt('9'.repeat(38))],
    [38, 0, '9'.repeat(39), WRONG],
    [38, 38, `0.${'9'.repeat(38)}`, BigInt('9'.repeat(38))],
    [38, 10, '0.1000000000', 1000000000],
    [38, 18, '12345678901234567890.123456789012345678', 12345678901234567890123456789012345678n],
    [12, 2, '" 1"', WRONG],
    [12, 2, '"1,5"', WRONG],
    [12, 2, '"01"', WRONG],
    [12, 2, '""', WRONG],
    [12, 2, '"NaN"', WRONG],
    [12, 2, 'true', WRONG],
    [12, 2, '[1]', WRONG],
    [12, 2, 'null', null]
  ]
  for (const [precision, scale, json, unscaled] of cases) {
    const found = fromJson({ type: 'Decimal', precision, scale }, json)
    assert.deepEqual(found, unscaled, `Decimal(${precision}, ${scale}) ${json}`)
  }
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
    ['Long', '1'.repeat(500), WRONG],
    ['Date', '2024-02-29', 19782],
    ['Decimal', '-1.25', -125],
    ['Decimal', '1.255', WRONG],
    ['Float', '0.5', 0.5]
  ]
  for (const [type, text, expected] of cases) {
    const bytes = Buffer.from(`,${text},`)
    const into = emptyLifted()
    const fits = liftText(target(type), bytes, 1, bytes.length - 2, into)
    assert.deepEqual(fits ? valueOf(into, bytes) : WRONG, expected, `${type} ${text}`)
  }
  const into = { ...emptyLifted(), held: HELD.NUMBER }
  assert.ok(liftText(target('Int'), Buffer.alloc(0), 0, -1, into), 'null is null, whatever the type')
  assert.equal(into.held, HELD.NULL)
})

/** Decimals of the tables above are Decimal(12, 2). */
const target = (type: LiftedType): LiftTarget => (type === 'Decimal' ? { type, precision: 12, scale: 2 } : { type })

function fromJson(column: LiftTarget, json: string): unknown {
  const bytes = Buffer.from(`{"x":${json}}`)
  const scanner = new JsonScanner(compilePointers(['/x']), 1)
  assert.ok(scanner.scan(bytes, 0, bytes.length), json)
  const into = emptyLifted()
  const [kind = 0, start = 0, end = 0] = [scanner.kinds[0], scanner.starts[0], scanner.ends[0]]
  return liftJson(column, kind, bytes, start, end, into) ? valueOf(into, bytes) : WRONG
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
