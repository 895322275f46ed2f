import { ParseError, type ASTNode, type Environment, type ParseResult } from '@marcbachmann/cel-js'
import { isAlike, isLoop, substituteFunctions } from './cel-ast.ts'
import { invariant } from './errors.ts'

/** Whether an expression holds for these values; undefined when it has no answer. */
export type Judge = (values: Record<string, unknown>) => boolean | undefined

/**
 * Evaluates an expression that passes the check, from its syntax before the check, which changes it. What stands
 * between `&&`, `||` and `!` is evaluated apart, so that a null where a value is needed is seen before: the engine
 * throws an error for it, which costs twenty times the evaluation, and nulls are common. The answer is the same.
 */
export function judgeOf(ast: ASTNode, environment: Environment, substitutes: ReadonlyMap<string, string>): Judge {
  const part = (node: ASTNode): Judge | undefined =>
    joined(node, part) ?? leaf(node, textsOf(node), environment, substitutes)
  const whole = joined(ast, part) ?? leaf(ast, [ast.input], environment, substitutes)
  invariant(whole !== undefined, 'an expression is parsed as it was before')
  return whole
}

/** Undefined for what is not joined of parts, and when one of them cannot be evaluated apart. */
function joined(node: ASTNode, part: (node: ASTNode) => Judge | undefined): Judge | undefined {
  if (node.op === '!_') {
    const inner = part(node.args)
    return inner && not(inner)
  }
  if (node.op !== '&&' && node.op !== '||') return undefined
  const [left, right] = node.args.map(part)
  if (left === undefined || right === undefined) return undefined
  return node.op === '&&' ? both(left, right) : either(left, right)
}

/** The engine leaves out brackets at either end of a part, but not those inside that belong to them. */
function textsOf({ input, range }: ASTNode): readonly string[] {
  const text = input.slice(range.start, range.end)
  return [text, `(${text}`, `${text})`]
}

const both =
  (left: Judge, right: Judge): Judge =>
  values => {
    const first = left(values)
    if (first === false) return false
    const second = right(values)
    return second === false || first === true ? second : undefined
  }

const either =
  (left: Judge, right: Judge): Judge =>
  values => {
    const first = left(values)
    if (first === true) return true
    const second = right(values)
    return second === true || first === false ? second : undefined
  }

const not =
  (inner: Judge): Judge =>
  values => {
    const answer = inner(values)
    return answer === undefined ? undefined : !answer
  }

/** Undefined when none of the texts is the node's. */
function leaf(
  node: ASTNode,
  texts: readonly string[],
  environment: Environment,
  substitutes: ReadonlyMap<string, string>
): Judge | undefined {
  const evaluate = texts
    .map(text => parsed(text, environment))
    .find(found => found !== undefined && isAlike(found.ast, node))
  if (evaluate === undefined) return undefined
  substituteFunctions(evaluate.ast, substitutes)
  const { error } = evaluate.check()
  if (error !== undefined) throw error
  const needed = [...neededBy(node)]
  return values => {
    for (const name of needed) if (values[name] === null) return undefined
    const limit = Error.stackTraceLimit
    // The stack of an error that nobody reads would cost more than all the rest.
    Error.stackTraceLimit = 0
    try {
      const result: unknown = evaluate(values)
      return typeof result === 'boolean' ? result : undefined
    } catch {
      return undefined
    } finally {
      Error.stackTraceLimit = limit
    }
  }
}

function parsed(text: string, environment: Environment): ParseResult | undefined {
  try {
    return environment.parse(text)
  } catch (error) {
    if (error instanceof ParseError) return undefined
    throw error
  }
}

const STRICT_OPERATORS = ['<', '<=', '>', '>=', '+', '-', '*', '/', '%']
const STRICT_FUNCTIONS = ['size', 'int', 'uint', 'double', 'timestamp', 'duration']

/** Variables without whose value there is no answer. Not all of them: where in doubt, the engine decides. */
export function neededBy(node: ASTNode): ReadonlySet<string> {
  const needed = new Set<string>()
  const strict = (operand: ASTNode): void => {
    if (operand.op === 'id') needed.add(operand.args)
    else visit(operand)
  }
  const visit = (inner: ASTNode): void => {
    if (STRICT_OPERATORS.includes(inner.op)) for (const operand of inner.args as [ASTNode, ASTNode]) strict(operand)
    else if (inner.op === '-_') strict(inner.args)
    else if (inner.op === '==' || inner.op === '!=') for (const side of inner.args) visit(side)
    else if (inner.op === '.' || inner.op === '[]') strict(inner.args[0])
    else if (inner.op === 'call' && STRICT_FUNCTIONS.includes(inner.args[0])) inner.args[1].forEach(strict)
    else if (inner.op === 'rcall') {
      const [, receiver, args] = inner.args
      strict(receiver)
      if (!isLoop(inner)) args.forEach(visit)
    }
  }
  visit(node)
  return needed
}
