import { Environment, ParseError, TypeError as TypeMistake, type ASTNode } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import { freeIdentifiers, nodesOf, refusedPart, RFC_3339, type RefusedPart } from './cel-ast.ts'
import { judgeOf } from './cel-judge.ts'
import { isReserved } from './cel-name.ts'
import type { CelScope, CelType, Compiled } from './cel.ts'

/** What people write is far below. They bound the parser's recursion. */
const LIMITS = { maxAstNodes: 1000, maxDepth: 50, maxListElements: 256, maxMapEntries: 32, maxCallArguments: 8 }

/** The engine checks `dyn<T>` as T, and allows to compare it with null. */
const ENGINE_TYPES: Readonly<Record<CelType, string>> = {
  string: 'dyn<string>',
  int: 'dyn<int>',
  double: 'dyn<double>',
  bool: 'dyn<bool>',
  bytes: 'dyn<bytes>',
  timestamp: 'dyn<google.protobuf.Timestamp>',
  dyn: 'dyn'
}

/** As `celCompiler`, loaded with the engine. */
export function compilerOf(scope: CelScope): (expression: string) => Compiled {
  const environment = new Environment({
    unlistedVariablesAreDyn: scope.isOpen,
    // A column and a literal of its type are not quite alike to the engine: one may be null.
    homogeneousAggregateLiterals: false,
    limits: LIMITS
  })
  for (const [name, type] of scope.variables) environment.registerVariable(name, ENGINE_TYPES[type])
  registerSubstitutes(environment)
  return expression => {
    try {
      return compile(environment, scope, expression)
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof TypeMistake)) throw error
      return mistake(expression, error.range?.start ?? 0, messageOf(error, scope))
    }
  }
}

function compile(environment: Environment, scope: CelScope, expression: string): Compiled {
  const parsed = environment.parse(expression)
  const { ast } = parsed
  const { type = 'dyn', error } = parsed.check()
  if (error !== undefined)
    return mistake(expression, error.range?.start ?? 0, messageOf(error, scope) + namesOfTypes(ast))
  const refused = refusedPart(ast) ?? unlikeParts(ast, environment)
  if (refused !== undefined) return mistake(expression, refused.at, refused.message)
  if (!['bool', 'dyn<bool>', 'dyn'].includes(type)) {
    return mistake(expression, 0, `this is of type ${plain(type)}, not true or false: compare it with something`)
  }
  const judge = judgeOf(environment.parse(expression).ast, environment, SUBSTITUTES)
  const isVariable = (name: string) => scope.variables.has(name) || !environment.hasVariable(name)
  const variables = [...freeIdentifiers(ast)].filter(isVariable)
  return { ok: true, program: { variables, judge } }
}

/**
 * What is called instead of the engine's own functions: its regular expressions backtrack, which bad input can keep busy for
 * ever, and its times without offset depend on the machine. It does not let its functions be replaced, so calls are renamed.
 */
const SUBSTITUTES: ReadonlyMap<string, string> = new Map([
  ['matches', 'matchesRe2'],
  ['timestamp', 'utcTimestamp']
])

function registerSubstitutes(environment: Environment): void {
  const patterns = new Map<string, RE2JS>()
  const matches = (text: string, pattern: string): boolean => {
    let regex = patterns.get(pattern)
    if (regex === undefined) patterns.set(pattern, (regex = RE2JS.compile(pattern)))
    return regex.test(text)
  }
  const type = 'google.protobuf.Timestamp'
  const sync = { async: false }
  environment
    .registerFunction('string.matchesRe2(string): bool', { handler: matches, ...sync })
    .registerFunction(`utcTimestamp(string): ${type}`, {
      handler: (text: string) => existing(new Date(RFC_3339.test(text) ? text : NaN)),
      ...sync
    })
    .registerFunction(`utcTimestamp(int): ${type}`, {
      handler: (seconds: bigint) => existing(new Date(Number(seconds) * 1000)),
      ...sync
    })
}

function existing(time: Date): Date {
  if (Number.isNaN(time.getTime())) throw new RangeError('no time')
  return time
}

/** Texts and numbers compared as if they could be equal: the engine lets it pass, since a value may be null. */
function unlikeParts(ast: ASTNode, environment: Environment): RefusedPart | undefined {
  const typeOf = ({ input, range }: ASTNode): string =>
    plain(environment.check(input.slice(range.start, range.end)).type ?? 'dyn')
  for (const node of nodesOf(ast)) {
    if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') continue
    const [left, right] = node.args
    const [a, b] = [typeOf(left), typeOf(right)]
    const other = node.op === 'in' ? (/^list<(\w+)>$/.exec(b)?.[1] ?? 'dyn') : b
    if (KINDS[a] !== undefined && KINDS[other] !== undefined && KINDS[a] !== KINDS[other]) {
      return {
        at: node.range.start,
        message: `${a} and ${other} are never equal: convert one, with ${a}() or ${other}()`
      }
    }
  }
  return undefined
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'number',
  uint: 'number',
  double: 'number',
  bool: 'truth',
  bytes: 'bytes',
  timestamp: 'time',
  duration: 'duration'
}

/** In the words of the documentation. */
const plain = (type: string): string =>
  type
    .replaceAll(/dyn<([\w.]+)>/g, '$1')
    .replaceAll(/google\.protobuf\.(\w)/g, (_, first: string) => first.toLowerCase())

function messageOf({ code, summary }: ParseError | TypeMistake, { variables, isOpen }: CelScope): string {
  const text = plain(summary)
  switch (code) {
    case 'unknown_variable':
      return isOpen ? text : `${text}: known here: ${[...variables.keys()].join(', ')}`
    case 'reserved_identifier':
      return `${text}: CEL keeps the name for itself, write it with two underscores before and after`
    case 'invalid_macro_argument':
      return text.startsWith('has')
        ? 'has() takes a field within another, has(a.b): for a itself write a != null'
        : text
    case 'no_such_overload':
      return `${text}: write both sides as one type; 1 is an int, 1.0 a double, and int(), double() and string() convert`
    case 'limit_exceeded':
      return `${text}: write it as several rules`
    default:
      return text
  }
}

/** `list`, `type` and others are types in CEL, and names of fields in the world. */
function namesOfTypes(ast: ASTNode): string {
  const names = [...freeIdentifiers(ast)].filter(isReserved)
  return names.map(name => `; ${name} is a word of CEL, a column of that name is __${name}__`).join('')
}

function mistake(expression: string, at: number, message: string): Compiled {
  const before = expression.slice(0, at).split('\n')
  return { ok: false, mistake: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message } }
}
