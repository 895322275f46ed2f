import { createRequire } from 'node:module'
import type * as CelCompiler from './cel-compiler.ts'
import type { Judge } from './cel-judge.ts'

/** Types of variables. Each may be null as well; `dyn` may hold anything. */
export type CelType = 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'timestamp' | 'dyn'

export interface CelScope {
  readonly variables: ReadonlyMap<string, CelType>
  /** Whether an expression may name variables beside these; they are `dyn`. */
  readonly isOpen: boolean
}

export type Compiled =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly mistake: CelMistake }

/** What is wrong with an expression. */
export interface CelMistake {
  /** Both counted from 1. */
  readonly line: number
  readonly column: number
  /** Says what is wrong and the remedy. */
  readonly message: string
}

/** An expression that gives a boolean, checked and ready. */
export interface CelProgram {
  /** The variables that it reads. */
  readonly variables: readonly string[]
  /**
   * Takes strings, bigints (int), numbers (double), booleans, Uint8Arrays, Dates, arrays, Maps and plain objects, null for no
   * value; every variable must be there. Undefined when there is no answer: null where a value is needed, a key that is
   * missing, a result that is no boolean. Never throws.
   */
  readonly judge: Judge
}

/** Synchronous, and only when there is an expression: the engine takes time and memory that most pipelines need not spend. */
const load = createRequire(import.meta.url)

/** Compiles expressions of the Common Expression Language over one scope. */
export function celCompiler(scope: CelScope): (expression: string) => Compiled {
  const { compilerOf } = load('./cel-compiler.ts') as typeof CelCompiler
  return compilerOf(scope)
}
