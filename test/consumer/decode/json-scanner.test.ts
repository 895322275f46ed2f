import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePointers } from '../../../consumer/decode/json-path.ts'
import { JsonScanner, KIND } from '../../../consumer/decode/json-scanner.ts'
import { MAX_DEPTH } from '../../../consumer/decode/json-skip.ts'
import { randomFrom } from '../../chaos/random.ts'
import { mutated, randomDocument, type Json } from '../../fakes/json.ts'

/** The bytes stand between others, as a record's value does in its batch. */
function scan(scanner: JsonScanner, document: Uint8Array, around = '"x":1,'): boolean {
  const bytes = Buffer.concat([Buffer.from(around), document, Buffer.from(around)])
  return scanner.scan(bytes, around.length, around.length + document.length)
}

const plain = new JsonScanner(undefined, 0)
const isJson = (text: string | Uint8Array) => scan(plain, Buffer.from(text))

/** One table per line of thought, its documents apart by ` ¦ `. */
const documents = (...lines: readonly string[]) => lines.flatMap(line => line.split(' ¦ '))

const GOOD = documents(
  String.raw`{} ¦ [] ¦ 0 ¦ -0 ¦ 1 ¦ -1 ¦ 10 ¦ 1.5 ¦ -0.5 ¦ 1e1 ¦ 1E+1 ¦ 1e-01 ¦ 0e0 ¦ 123456789012345678901234567890`,
  String.raw`true ¦ false ¦ null ¦ "" ¦ "a" ¦ {"a":1} ¦ {"a":{"b":[]}} ¦ [1,2] ¦ [[],{}] ¦ {"":0} ¦ [1 , 2] ¦ [""]`,
  String.raw`"\u0041\ud83d\ude00" ¦ "\ud800" ¦ "\"\\\/\b\f\n\r\t" ¦ "\u0000" ¦ "ü€😀" ¦ {"ü":"é"} ¦ { "a" : 1 , "b" : 2 } ¦ {"a":1,"a":2}`,
  ' 1 ¦ \t[\n]\r ¦ "\u007f" ¦ "\u2028"'
)

const BAD = documents(
  String.raw` ¦   ¦ { ¦ } ¦ [ ¦ ] ¦ " ¦ "a ¦ 'a' ¦ a ¦ tru ¦ True ¦ nul ¦ nulll ¦ NaN ¦ Infinity ¦ - ¦ -a ¦ +1 ¦ --1 ¦ 01 ¦ -01 ¦ 1. ¦ 1..2`,
  String.raw`.1 ¦ 1e ¦ 1e+ ¦ 1.e1 ¦ 1a ¦ 0x1 ¦ 1 2 ¦ {}{} ¦ }{ ¦ [1,] ¦ [,1] ¦ [1,,2] ¦ [1 2] ¦ {,} ¦ {"a"} ¦ {"a":} ¦ {"a" 1} ¦ {"a"::1}`,
  String.raw`{"a":1,} ¦ {a:1} ¦ {1:1} ¦ {"a":1 "b":2} ¦ {"a":1] ¦ [1} ¦ [1 ¦ {"a":1 ¦ {"a" ¦ {"a":1}} ¦ [1]] ¦ {"a":"b" : 1} ¦ {"a", "b"}`,
  String.raw`"\x" ¦ "\u12" ¦ "\u12g4" ¦ "\ ¦ "\" ¦ \u0031 ¦ "a"b ¦ [-] ¦ [1e1.5] ¦ ["a" : 1] ¦ [":] ¦ /**/1 ¦ 1/**/`,
  '"\n" ¦ "\t" ¦ "\0" ¦ \ufeff1 ¦ 1\0 ¦ \u00a01 ¦ [\u000b1]'
)

test('documents of RFC 8259 are accepted', () => {
  for (const text of GOOD) assert.ok(isJson(text), JSON.stringify(text))
})

test('anything else is refused as InvalidJson at its byte', () => {
  for (const text of BAD) {
    assert.ok(!isJson(text), JSON.stringify(text))
    assert.equal(plain.error, 'InvalidJson')
    assert.ok(plain.errorAt >= 0 && plain.errorAt <= Buffer.byteLength(text), `${text}: ${plain.errorAt}`)
  }
  isJson('{"a":1,"b":tree}')
  assert.equal(plain.errorAt, 13)
})

test('bytes that are not UTF-8 are refused as such wherever strings are', () => {
  const malformed = '80 c0af c1bf c3 e08080 e282 eda080 edbfbf f0808080 f4908080 f58080 ff e2c3ad'.split(' ')
  for (const hex of malformed) {
    for (const [before, after] of [
      ['"', '"'],
      ['{"', '":1}'],
      ['["a', 'b"]']
    ] as const) {
      assert.ok(!isJson(Buffer.concat([Buffer.from(before), Buffer.from(hex, 'hex'), Buffer.from(after)])), hex)
      assert.equal(plain.error, 'InvalidUtf8', hex)
    }
  }
  assert.ok(!isJson(Buffer.from([0xc3, 0xa4])), 'outside strings it is no JSON')
  assert.equal(plain.error, 'InvalidJson')
})

test('a string that would end in the next record does not end', () => {
  assert.ok(!scan(plain, Buffer.from('"abc'), '" '))
  assert.ok(!scan(plain, Buffer.from('"abc\\'), '" '))
  assert.ok(!scan(plain, Buffer.from('"abc\\u00'), '41" '))
  assert.ok(!scan(plain, Buffer.from('"abc\u00e4').subarray(0, -1), '\u00a4"'))
  assert.ok(!scan(plain, Buffer.from('tru'), 'e'))
  assert.ok(!scan(plain, Buffer.from('{"a":'), '1}'))
  assert.ok(scan(plain, Buffer.from('12'), '3'))
})

test('nesting is bounded', () => {
  assert.ok(isJson('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH)))
  assert.ok(!isJson('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1)))
  assert.ok(!isJson('{"a":'.repeat(100_000)))
})

test('it accepts what JSON.parse accepts, over random and mutated documents', () => {
  for (let seed = 0; seed < 1500; seed++) {
    const random = randomFrom(seed, 1)
    const document = Buffer.from(JSON.stringify(randomDocument(random, 4), null, seed % 3))
    assert.ok(isJson(document), document.toString())
    const bytes = mutated(document, random)
    assert.equal(isJson(bytes), isParsable(bytes), `seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}`)
  }
})

test('values are found by their pointers', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['{"a":1}', '/a', '1'],
    ['{"a":{"b":"x"}}', '/a/b', 'x'],
    ['{"a":{"b":"x"}}', '/a', '{"b":"x"}'],
    ['{"a": [ 1, {"b":true} ] }', '/a/1/b', 'true'],
    ['{"a": [ 1, 2 ] }', '/a', '[ 1, 2 ]'],
    ['[10,11,12]', '/2', '12'],
    ['[10,11,12]', '/02', undefined],
    ['[10,11,12]', '/3', undefined],
    ['[10,11,12]', '/-', undefined],
    ['{"2":5}', '/2', '5'],
    ['{"a/b":1,"m~n":2}', '/a~1b', '1'],
    ['{"a/b":1,"m~n":2}', '/m~0n', '2'],
    ['{"~1":1}', '/~01', '1'],
    ['{"":{"":3}}', '//', '3'],
    ['{"\\u0061":4}', '/a', '4'],
    ['{"é":5}', '/é', '5'],
    ['{"\\n":1,"\\\\":2}', '/\\', '2'],
    ['{"\\\\":1,"\\n":2}', '/\n', '2'],
    ['{"ab":1}', '/a', undefined],
    ['{"b":{"a":1}}', '/a', undefined],
    ['{"a":null}', '/a', 'null'],
    ['{"a":5}', '/a/b', undefined],
    ['{"a":1,"a":2}', '/a', '2'],
    ['{"a":{"b":1},"a":{"c":2}}', '/a/b', undefined],
    ['{"a":{"b":1},"a":5}', '/a/b', undefined],
    ['7', '/a', undefined]
  ]
  for (const [document, pointer, expected] of cases) {
    assert.deepEqual(found(document, [pointer]), [expected], `${pointer} in ${document}`)
  }
})

test('one pass finds every value that walking the parsed document finds', () => {
  for (let seed = 0; seed < 800; seed++) {
    const random = randomFrom(seed, 2)
    const document = randomDocument(random, 4)
    const pointers = Array.from({ length: 4 }, () => randomPointer(document, random))
    const expected = pointers.map(pointer => follow(document, pointer))
    const text = JSON.stringify(document, null, seed % 2)
    const actual = found(text, pointers).map((json, index) => {
      if (json === undefined) return undefined
      return typeof expected[index] === 'string' ? JSON.parse(`"${json}"`) : JSON.parse(json)
    })
    assert.deepEqual(actual, expected, `seed ${seed}: ${pointers.join(' ')} in ${text}`)
  }
})

function found(document: string, pointers: readonly string[]): (string | undefined)[] {
  const scanner = new JsonScanner(compilePointers(pointers), pointers.length)
  const bytes = Buffer.from(document)
  assert.ok(scanner.scan(bytes, 0, bytes.length), document)
  return pointers.map((_, index) =>
    scanner.kinds[index] === KIND.MISSING
      ? undefined
      : bytes.toString('utf8', scanner.starts[index], scanner.ends[index])
  )
}

function randomPointer(document: Json, random: () => number): string {
  let pointer = ''
  let at: Json | undefined = document
  do {
    const keys: string[] = at !== null && typeof at === 'object' ? Object.keys(at) : []
    const key: string =
      random() < 0.1 || keys.length === 0 ? 'nowhere' : (keys[Math.floor(random() * keys.length)] ?? '')
    pointer += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    at = follow(document, pointer)
  } while (at !== undefined && random() < 0.6)
  return pointer
}

function follow(document: Json, pointer: string): Json | undefined {
  let at: Json | undefined = document
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    at = at !== null && typeof at === 'object' && Object.hasOwn(at, key) ? (at as Record<string, Json>)[key] : undefined
  }
  return at
}

function isParsable(bytes: Buffer): boolean {
  try {
    // JSON.parse sees text only: malformed bytes must not be replaced on the way, nor a byte order mark dropped.
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}
