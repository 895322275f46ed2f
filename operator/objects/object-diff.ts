import type { KubeObject } from '../kube/kube.ts'
import { APPLIED } from './names.ts'

const CONTEXT_LINES = 2
const MAX_TEXT_LINES = 5000
const HIDDEN = '(hidden)'
/** What the API server keeps for itself, and who owns the object, which never changes. */
const SERVERS_OWN = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
  'ownerReferences'
])

/**
 * What changes from one object to another, in lines that begin with `- `, `+ ` or, for context, two spaces; undefined is an
 * object that is not there. What only the API server writes is left out, and so are the values of Secrets: that one changes
 * is told by `(hidden)`. Empty when nothing changes.
 */
export function objectDiff(before: KubeObject | undefined, after: KubeObject | undefined): readonly string[] {
  const [old, now] = hideSecrets(before, after)
  return textDiff(linesOf(old), linesOf(now))
}

/** Lines that only one of both has, with their neighbours; `...` stands for what is left out. */
export function textDiff(
  before: readonly string[],
  after: readonly string[],
  contextLines = CONTEXT_LINES
): readonly string[] {
  const lines = wholeDiff(before.slice(0, MAX_TEXT_LINES), after.slice(0, MAX_TEXT_LINES))
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(line => !line.startsWith('  '))
  const near = lines.map((_, index) => isNear(index))
  return lines.flatMap((line, index) => {
    if (near[index] === true) return [line]
    return near[index - 1] === true && near.includes(true, index) ? ['...'] : []
  })
}

type Fields = Readonly<Record<string, unknown>>

function hideSecrets(before: KubeObject | undefined, after: KubeObject | undefined): readonly [unknown, unknown] {
  if ((before ?? after)?.kind !== 'Secret') return [before, after]
  const [old, now] = [before, after] as readonly (Fields | undefined)[]
  const values = (object: Fields | undefined, other: Fields | undefined, sign: string) =>
    object && {
      ...object,
      data: hidden(object, other, 'data', sign),
      stringData: hidden(object, other, 'stringData', sign)
    }
  return [values(old, now, 'before'), values(now, old, 'after')]
}

/** A value that both have is shown alike; of one that differs it is told that it does. */
function hidden(object: Fields, other: Fields | undefined, field: string, sign: string): Fields | undefined {
  const values = object[field] as Fields | undefined
  const others = (other?.[field] ?? {}) as Fields
  return (
    values &&
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, value === others[key] ? HIDDEN : `${HIDDEN} ${sign}`])
    )
  )
}

/** An object as lines of YAML, fields in order of their names. */
function linesOf(object: unknown): readonly string[] {
  if (object === undefined) return []
  const { status: _status, metadata = {}, ...rest } = object as Fields
  const { annotations, ...kept } = metadata as Fields
  const own = Object.entries(kept).filter(([name]) => !SERVERS_OWN.has(name))
  const told = Object.entries((annotations ?? {}) as Fields).filter(([name]) => name !== APPLIED)
  const notes = told.length === 0 ? {} : { annotations: Object.fromEntries(told) }
  return yaml({ ...rest, metadata: { ...Object.fromEntries(own), ...notes } }, '')
}

function yaml(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(item => {
      const [first = '', ...rest] = block(item, `${indent}  `)
      return [`${indent}- ${first.trimStart()}`, ...rest]
    })
  }
  return Object.entries(value as Fields)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) => {
      const key = `${indent}${scalar(name)}:`
      if (isText(field)) return [`${key} |`, ...field.split('\n').map(line => `${indent}  ${line}`)]
      const lines = block(field, `${indent}  `)
      return isBranch(field) ? [key, ...lines] : [`${key} ${lines[0]}`]
    })
}

const isBranch = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0

const isText = (value: unknown): value is string => typeof value === 'string' && value.trimEnd().includes('\n')

const block = (value: unknown, indent: string): string[] => (isBranch(value) ? yaml(value, indent) : [scalar(value)])

/** Words as they are, all else as JSON, which is YAML. */
function scalar(value: unknown): string {
  const isWord =
    typeof value === 'string' &&
    /^[A-Za-z_/][\w./:@-]*$/.test(value) &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value)
  return isWord && !value.endsWith(':') ? value : (JSON.stringify(value) ?? 'null')
}

/** By the longest common subsequence between the lines that the two begin and end with alike. */
function wholeDiff(before: readonly string[], after: readonly string[]): readonly string[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const least = Math.min(before.length, after.length) - start
  while (end < least && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const old = before.slice(start, before.length - end)
  const now = after.slice(start, after.length - end)
  return [
    ...before.slice(0, start).map(line => `  ${line}`),
    ...middle(old, now),
    ...before.slice(before.length - end).map(line => `  ${line}`)
  ]
}

const MAX_CELLS = 4_000_000

function middle(old: readonly string[], now: readonly string[]): readonly string[] {
  if (old.length * now.length > MAX_CELLS) return [...old.map(line => `- ${line}`), ...now.map(line => `+ ${line}`)]
  const width = now.length + 1
  const lengths = new Uint32Array((old.length + 1) * width)
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      lengths[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push(`  ${old[i++]}`)
      j++
    } else if (j === now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${old[i++]}`)
    else lines.push(`+ ${now[j++]}`)
  }
  return lines
}
