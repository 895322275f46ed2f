import type { ASTNode } from '@marcbachmann/cel-js'
import { isDeepStrictEqual } from 'node:util'
import { RE2JS, RE2JSException } from 're2js'

/** A part that is not allowed, by its offset in the expression. */
export interface RefusedPart {
  readonly at: number
  readonly message: string
}

/** Loops over lists; they may stand two deep, so that an expression's cost stays bounded. */
const MACROS = ['all', 'exists', 'exists_one', 'filter']
const MAX_LOOPS = 2
const MAX_PATTERN_LENGTH = 256

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const FUNCTIONS = words('has size int uint double string bool bytes timestamp duration dyn type')
/** None that builds lists or texts from lists: chains of them could grow beyond all bounds. None that knows time zones. */
const METHODS = words(
  'all exists exists_one filter size startsWith endsWith contains matches indexOf lastIndexOf substring trim lowerAscii ' +
    'upperAscii getFullYear getMonth getDate getDayOfMonth getDayOfWeek getHours getMinutes getSeconds getMilliseconds'
)

/** The first part that is beyond what rules may use, or that could never work. */
export function refusedPart(ast: ASTNode): RefusedPart | undefined {
  return refusedIn(ast, 0)
}

function refusedIn(node: ASTNode, loops: number): RefusedPart | undefined {
  const refused = refusedCall(node, loops)
  if (refused !== undefined) return refused
  const [loop, body] = loopOf(node)
  if (loop === undefined) return firstOf(childrenOf(node), child => refusedIn(child, loops))
  return refusedIn(loop, loops) ?? firstOf(body, child => refusedIn(child, loops + 1))
}

function refusedCall(node: ASTNode, loops: number): RefusedPart | undefined {
  if (node.op === 'call') {
    const [name, args] = node.args
    if (!FUNCTIONS.has(name)) return unknownFunction(node, name)
    return name === 'timestamp' ? refusedTime(args[0]) : undefined
  }
  if (node.op !== 'rcall') return undefined
  const [name, receiver, args] = node.args
  const at = receiver.range.end + 1
  if (!METHODS.has(name)) return { ...unknownFunction(node, name), at }
  if (name.startsWith('get') && args.length > 0)
    return { at, message: `${name}() takes no time zone here: times are in UTC` }
  if (MACROS.includes(name) && loops >= MAX_LOOPS) {
    return { at, message: `${name}() stands in ${MAX_LOOPS} loops already: write two rules, or lift what is nested` }
  }
  return name === 'matches' ? refusedPattern(args[0], at) : undefined
}

const unknownFunction = ({ range }: ASTNode, name: string): RefusedPart => ({
  at: range.start,
  message: `${name}() is not for rules: docs/quality.md lists what is`
})

function refusedPattern(pattern: ASTNode | undefined, at: number): RefusedPart | undefined {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    return { at, message: 'matches() needs its pattern as a text in quotes' }
  }
  const [start, text] = [pattern.range.start, pattern.args]
  if (text.length > MAX_PATTERN_LENGTH) {
    return {
      at: start,
      message: `the pattern has ${text.length} characters, at most ${MAX_PATTERN_LENGTH} are allowed`
    }
  }
  try {
    RE2JS.compile(text)
    return undefined
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return { at: start, message: `the pattern is no regular expression of RE2: ${error.message}` }
  }
}

function refusedTime(time: ASTNode | undefined): RefusedPart | undefined {
  if (time?.op !== 'value' || typeof time.args !== 'string' || RFC_3339.test(time.args)) return undefined
  return { at: time.range.start, message: `${time.args} is no RFC 3339 time: write 2026-01-31T12:00:00Z` }
}

export const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** Calls other functions instead of these. */
export function substituteFunctions(ast: ASTNode, names: ReadonlyMap<string, string>): void {
  for (const node of nodesOf(ast)) {
    if (node.op !== 'call' && node.op !== 'rcall') continue
    const args = node.args as [string, ...unknown[]]
    args[0] = names.get(args[0]) ?? args[0]
  }
}

/** Identifiers that the expression does not bind itself. */
export function freeIdentifiers(ast: ASTNode): ReadonlySet<string> {
  const found = new Set<string>()
  const collect = (node: ASTNode, bound: readonly string[]): void => {
    if (node.op === 'id' && !bound.includes(node.args)) found.add(node.args)
    const [loop, [variable, ...body]] = loopOf(node)
    if (loop === undefined) for (const child of childrenOf(node)) collect(child, bound)
    else {
      collect(loop, bound)
      const inner = variable?.op === 'id' ? [...bound, variable.args] : bound
      for (const child of body) collect(child, inner)
    }
  }
  collect(ast, [])
  return found
}

/** Every node, parents first. */
export function nodesOf(ast: ASTNode): readonly ASTNode[] {
  const nodes = [ast]
  for (const node of nodes) nodes.push(...childrenOf(node))
  return nodes
}

/** Whether two trees are the same, wherever they stand. */
export function isAlike(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isAlike(each, b[i]))
  return isNode(a) && isNode(b) ? a.op === b.op && isAlike(a.args, b.args) : isDeepStrictEqual(a, b)
}

/** Whether it binds a variable of its own. */
export const isLoop = (node: ASTNode): boolean => node.op === 'rcall' && MACROS.includes(node.args[0])

/** What a macro loops over, and its arguments: the variable first. */
function loopOf(node: ASTNode): readonly [ASTNode | undefined, readonly ASTNode[]] {
  if (node.op !== 'rcall' || !isLoop(node)) return [undefined, []]
  return [node.args[1], node.args[2]]
}

function childrenOf({ args }: ASTNode): readonly ASTNode[] {
  return ([args].flat(3) as unknown[]).filter(isNode)
}

const isNode = (value: unknown): value is ASTNode => value !== null && typeof value === 'object' && 'op' in value

function firstOf<T>(nodes: readonly ASTNode[], find: (node: ASTNode) => T | undefined): T | undefined {
  for (const node of nodes) {
    const found = find(node)
    if (found !== undefined) return found
  }
  return undefined
}
