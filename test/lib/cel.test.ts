import assert from 'node:assert/strict'
import { test } from 'node:test'
import { celName, columnOf } from '../../lib/cel-name.ts'
import { celCompiler, type CelProgram, type CelType } from '../../lib/cel.ts'

const variables = new Map<string, CelType>([
  ['d', 'double'],
  ['i', 'int'],
  ['s', 'string'],
  ['b', 'bool'],
  ['t', 'timestamp'],
  ['bytes_', 'bytes']
])
const closed = celCompiler({ variables, isOpen: false })
const open = celCompiler({ variables, isOpen: true })

function program(expression: string, compile = open): CelProgram {
  const compiled = compile(expression)
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.mistake.message)
  return compiled.program
}

function mistakeOf(expression: string, compile = closed): string {
  const compiled = compile(expression)
  assert.ok(!compiled.ok, `${expression} is accepted`)
  const { line, column, message } = compiled.mistake
  return `${line}:${column} ${message}`
}

const VALUES = { d: 1.5, i: 7n, s: 'taxi', b: true, t: new Date('2024-05-06T07:08:09Z'), bytes_: Buffer.from('abc') }
const NULLS = { d: null, i: null, s: null, b: null, t: null, bytes_: null }

test('an expression over typed columns is true or false', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['d > 0.0', true],
    ['d > 1', true],
    ['d > i', false],
    ['i == 7', true],
    ['i + 1 > 7 && i / 2 == 3 && i % 4 == 3', true],
    ['i * 9223372036854775807 > 0 || b', true],
    ['s == "taxi" && s != "cab"', true],
    ['s in ["taxi", "cab"]', true],
    ['s.startsWith("ta") && s.endsWith("xi") && s.contains("ax") && s.size() == 4', true],
    ['s.matches("^t.*i$")', true],
    ['s.matches("x$")', false],
    ['b', true],
    ['!b', false],
    ['b ? d > 1.0 : d < 1.0', true],
    ['t > timestamp("2024-01-01T00:00:00Z")', true],
    ['t - timestamp("2024-05-06T00:00:00+02:00") > duration("8h")', true],
    ['t.getFullYear() == 2024 && t.getMonth() == 4 && t.getHours() == 7', true],
    ['bytes_ == b"abc" && size(bytes_) == 3', true],
    ['string(i) == "7" && double(i) == 7.0 && int(d) == 1', true],
    ['[1, 2, 3].exists(x, x == i)', false],
    ['1 < 2', true]
  ]
  for (const [expression, expected] of cases) assert.equal(program(expression).judge(VALUES), expected, expression)
})

test('null is equal to null alone, and has no answer where a value is needed', () => {
  const cases: readonly (readonly [string, boolean | undefined])[] = [
    ['d > 0.0', undefined],
    ['d == null', true],
    ['d != null', false],
    ['d != null && d > 0.0', false],
    ['d == null || d > 0.0', true],
    ['d > 0.0 || true', true],
    ['d > 0.0 && false', false],
    ['i + 1 > 2', undefined],
    ['s.startsWith("a")', undefined],
    ['s.matches("a")', undefined],
    ['s == "a"', false],
    ['b', undefined],
    ['!b', undefined],
    ['t > timestamp("2024-01-01T00:00:00Z")', undefined],
    ['size(bytes_) > 0', undefined]
  ]
  for (const [expression, expected] of cases) assert.equal(program(expression).judge(NULLS), expected, expression)
})

test('fields of unknown types are judged as they come', () => {
  const values = { x: { a: 1n, b: null, 'c-d': 2, l: [1n, 2n], o: { z: 'q' } }, y: 'text', z: null }
  const cases: readonly (readonly [string, boolean | undefined])[] = [
    ['x.a == 1 && x["c-d"] > 1', true],
    ['has(x.a) && !has(x.q)', true],
    ['x.b == null', true],
    ['x.q == 1', undefined],
    ['z.a == 1', undefined],
    ['x.o.z == "q"', true],
    ['x.l.all(i, i > 0) && x.l.exists(i, i > 1) && x.l.filter(i, i > 1).size() == 1', true],
    ['x.l.exists_one(i, i > 0)', false],
    ['x.l[5] == 1', undefined],
    ['y > 1', undefined],
    ['y', undefined],
    ['x.constructor == null', undefined],
    ['x.__proto__ == null', undefined],
    ['timestamp(y) > timestamp("2024-01-01T00:00:00Z")', undefined],
    ['x.a / 0 == 1', undefined]
  ]
  for (const [expression, expected] of cases) assert.equal(program(expression).judge(values), expected, expression)
})

test('a mistake has its line, its column and its remedy', () => {
  assert.equal(mistakeOf('d >'), '1:4 Unexpected token: EOF')
  assert.match(mistakeOf('d > "a"'), /^1:1 no such overload: double > string: write both sides as one type/)
  assert.match(mistakeOf('d > 0.0 &&\n  s > 1'), /^2:3 no such overload: string > int/)
  assert.match(mistakeOf('i > 1 && total > 2'), /^1:10 Unknown variable: total: known here: d, i, s, b, t, bytes_$/)
  assert.equal(mistakeOf('d'), '1:1 this is of type double, not true or false: compare it with something')
  assert.match(mistakeOf('d == "a"'), /^1:1 double and string are never equal: convert one/)
  assert.match(mistakeOf('i in ["a"]'), /^1:1 int and string are never equal/)
  assert.match(mistakeOf('s.matches("a(")'), /^1:11 the pattern is no regular expression of RE2: .*missing closing/)
  assert.match(mistakeOf('s.matches(s)'), /^1:3 matches\(\) needs its pattern as a text in quotes/)
  assert.match(mistakeOf('t > timestamp("2024-01-01")'), /^1:15 2024-01-01 is no RFC 3339 time/)
  assert.match(mistakeOf('has(d)'), /^1:5 has\(\) takes a field within another/)
  assert.match(mistakeOf('package > 1', open), /^1:1 Reserved identifier: package: .*two underscores/)
  assert.match(mistakeOf('size(list) > 1', open), /list is a word of CEL, a column of that name is __list__$/)
  assert.match(mistakeOf('t.getHours("Europe/Berlin") > 1'), /^1:3 getHours\(\) takes no time zone/)
})

test('what could cost without bounds is refused', () => {
  const refused = [
    '[s].map(a, a + a).map(b, b + b).size() > 0',
    'cel.bind(a, s + s, cel.bind(b, a + a, b == a))',
    'x.join("") == s',
    's.split("").size() > 1',
    'x.all(a, x.all(b, x.all(c, a == b && b == c)))',
    '('.repeat(500),
    '['.repeat(500),
    `${'!'.repeat(1000)}b`,
    `x${'.a'.repeat(400)} == 1`,
    `[${Array.from({ length: 300 }, (_, i) => i).join(', ')}].exists(a, a == i)`,
    `s.matches("${'a'.repeat(257)}")`,
    's.matches("(a{1000}){1000}")',
    Array.from({ length: 400 }, () => 'd > 0.0').join(' && ')
  ]
  for (const expression of refused) assert.ok(!open(expression).ok, `${expression.slice(0, 60)} is accepted`)
})

test('a regular expression that backtracks for ever elsewhere has its answer at once', () => {
  const backtracking = program('s.matches("^(a+)+$")')
  assert.equal(backtracking.judge({ ...VALUES, s: `${'a'.repeat(50_000)}b` }), false)
})

test('the variables are those that the expression does not bind itself', () => {
  assert.deepEqual(program('x.l.all(e, e > i) && has(y.e)').variables.toSorted(), ['i', 'x', 'y'])
  assert.deepEqual(program('e.l.exists(e, e > 1)').variables, ['e'])
  assert.deepEqual(program('type(d) == double').variables, ['d'])
  assert.deepEqual(program('true').variables, [])
})

test('columns whose names are words of CEL are named between double underscores', () => {
  for (const column of ['type', 'in', 'namespace', 'string', 'map', 'true']) {
    const name = celName(column) ?? ''
    assert.equal(name, `__${column}__`)
    assert.equal(columnOf(name), column)
    const compile = celCompiler({ variables: new Map([[name, 'string']]), isOpen: false })
    assert.equal(program(`${name} == "x"`, compile).judge({ [name]: 'x' }), true)
  }
  for (const column of ['_kafka_offset', 'value', '__op', '__deleted', 'size']) {
    assert.equal(celName(column), column)
    assert.equal(columnOf(column), column)
  }
  assert.equal(celName('trip-distance'), undefined)
})
