import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Environment } from '@marcbachmann/cel-js'
import { celCompiler } from '../../lib/cel.ts'
import { Scheduler } from '../simulation/scheduler.ts'

const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  d: [null, 0, -1.5, 2.25, NaN, Infinity],
  i: [null, 0n, -3n, 7n, 9223372036854775807n],
  s: [null, '', 'taxi', 'a"b\\c\n\u00fc\ud83d\ude00'],
  b: [null, true, false],
  t: [null, new Date('2024-05-06T07:08:09.123Z'), new Date(0)],
  y: [null, Buffer.from('abc'), Buffer.from([0, 255, 34, 92])],
  x: [null, { a: 1n, l: [1n, 2n] }, { a: null }, [1n, null, 3n], 'text', 1.5, 2n, true, new Map([['a', 1n]])]
}
const TYPES = { d: 'double', i: 'int', s: 'string', b: 'bool', t: 'timestamp', y: 'bytes', x: 'dyn' } as const

/** Parts that give a boolean; the engine's own answer to them, and to what is made of them, is the measure. */
const PARTS = [
  'b',
  'x',
  '!b',
  '!x',
  'd > 0.0',
  'd >= 1',
  'i < 5',
  '-d < 1.0',
  '-i < 1',
  'd == 2.25',
  'i == 7',
  'x == null',
  'd != null',
  'i + 1 > 2',
  'i * 2 - 1 >= i',
  'i / 0 > 1',
  'i % 2 == 1',
  'd / 0.0 > 1.0',
  'd * 2.0 == 4.5',
  'x + 1 == 2',
  '1 - -1 == 2',
  's == "taxi"',
  's == "a\\"b\\\\c\\n\\u00fc\\U0001F600"',
  "s == 'it\\'s'",
  's == r"\\n"',
  's == """a"b"""',
  's in ["taxi", ""]',
  's.startsWith("t")',
  's.contains(x)',
  's.size() > 2',
  'size(s) == 4',
  '"taxi".contains(s)',
  's + "x" == "taxix"',
  'x in [1, 2]',
  's.substring(1).startsWith("a")',
  's.matches("^t.x")',
  's.matches("\\\\d|\\"b")',
  'string(i) == "7"',
  'int(d) > 1',
  'double(x) > 1.0',
  't > timestamp("2020-01-01T00:00:00Z")',
  't.getFullYear() == 2024',
  't - timestamp("2024-05-06T00:00:00Z") > duration("1h30m")',
  'y == b"abc"',
  'y == b"\\x00\\xff\\"\\\\"',
  'size(y) > 3',
  'x.a == 1',
  'x.a + 1 > 1',
  'has(x.a)',
  'has(x.q)',
  'x["a"] > 0',
  'x[0] == 1',
  'x.l.all(e, e > 0)',
  'x.l.exists(e, e > d)',
  'x.all(e, e != null)',
  'x.filter(e, e == null).size() > 0',
  'x.exists_one(e, e == i)',
  'b ? d > 0.0 : i > 0',
  '(b ? d : 1.0) > 0.5',
  'type(x) == int',
  'type(d) == double',
  'dyn(d) > 0',
  '{"a": 1}["a"] == 1',
  '"a" in x',
  '[d, 1.0][0] > 0.0',
  '[1, 2].exists(e, e == i)',
  '(d > 0.0) == b',
  '(d > 0.0) != (i > 0)',
  '1u < 2u',
  '5 > 1.5',
  '0x1F == 31',
  '1e3 == 1000.0'
]

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
for (const [name, type] of Object.entries(TYPES)) {
  const engineType = type === 'timestamp' ? 'google.protobuf.Timestamp' : type
  environment.registerVariable(name, type === 'dyn' ? 'dyn' : `dyn<${engineType}>`)
}
const compile = celCompiler({ variables: new Map(Object.entries(TYPES)), isOpen: true })

function engineAnswer(evaluate: (values: object) => unknown, values: object): boolean | undefined {
  try {
    const answer = evaluate(values)
    return typeof answer === 'boolean' ? answer : undefined
  } catch {
    return undefined
  }
}

test('what is evaluated in parts has the answers of the engine, for all values and nulls', () => {
  const { random } = new Scheduler(7)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const expressionOf = (depth: number): string => {
    const kind = depth === 0 ? 0 : random()
    if (kind < 0.3) return pick(PARTS)
    if (kind < 0.4) return `!(${expressionOf(depth - 1)})`
    return `(${expressionOf(depth - 1)}) ${kind < 0.7 ? '&&' : '||'} (${expressionOf(depth - 1)})`
  }
  const counts = { true: 0, false: 0, undefined: 0 }
  for (const expression of [...PARTS, ...Array.from({ length: 400 }, () => expressionOf(3))]) {
    const compiled = compile(expression)
    assert.ok(compiled.ok, compiled.ok ? '' : `${expression}: ${compiled.mistake.message}`)
    const evaluate = environment.parse(expression)
    for (let round = 0; round < 20; round++) {
      const values = Object.fromEntries(Object.entries(VALUES).map(([name, choices]) => [name, pick(choices)]))
      const answer: boolean | undefined = compiled.program.judge(values)
      assert.equal(answer, engineAnswer(evaluate, values), `${expression} with ${shown(values)}`)
      counts[`${answer}`]++
    }
  }
  assert.ok(Math.min(...Object.values(counts)) > 500, JSON.stringify(counts))
})

const shown = (values: object): string =>
  JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
