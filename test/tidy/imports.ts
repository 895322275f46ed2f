import { posix } from 'node:path'

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** The path of a file of the repository, or the name of a package or of a module of Node (`node:fs`). */
  readonly target: string
  readonly isFile: boolean
  /** Whether only types are taken: nothing is loaded at run time. */
  readonly isTypeOnly: boolean
}

const STATEMENT = /^(?:import|export)\s+(?:(type\s)?([^'";]*?)\s*from\s*)?'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g

/** What a file imports or exports again, read from its import lines. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, type, names = '', target = '']) =>
    resolve(path, target, type !== undefined || isOnlyTypes(names))
  )
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, target = '']) => resolve(path, target, false))
  return [...statements, ...dynamic]
}

function resolve(from: string, target: string, isTypeOnly: boolean): Import {
  const isFile = target.startsWith('.')
  return { target: isFile ? posix.join(posix.dirname(from), target) : packageName(target), isFile, isTypeOnly }
}

/** `{ type A, type B }`: the inline form, which this project uses. */
function isOnlyTypes(names: string): boolean {
  const list = /^\{([^}]*)\}$/s.exec(names.trim())?.[1]
  if (list === undefined) return false
  const parts = list.split(',').map(part => part.trim())
  return parts.every(part => part === '' || part.startsWith('type '))
}

function packageName(target: string): string {
  if (target.startsWith('node:')) return target
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')
}
