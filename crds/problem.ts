import type { ErrorObject } from 'ajv'
import type { Schema } from './schema.ts'

/** What is wrong with a manifest. */
export interface Problem {
  /** `spec.topics[0].batch.triggerInterval` */
  readonly path: string
  /** Says what is wrong and the remedy. */
  readonly message: string
}

export type Step = string | number

export function pathText(steps: readonly Step[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`
    if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${path}['${step}']`
    return path === '' ? step : `${path}.${step}`
  }, '')
}

/** The path and words for an error of ajv. */
export function problemOf(error: ErrorObject, root: Schema): Problem {
  const steps = stepsOf(error.instancePath)
  const params = error.params as Readonly<Record<string, unknown>>
  if (error.keyword === 'required') {
    const name = String(params['missingProperty'])
    const meaning = schemaAt(root, [...steps, name])?.description
    return { path: pathText([...steps, name]), message: withMeaning('is required', meaning) }
  }
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty'])
    return {
      path: pathText([...steps, name]),
      message: unknownField(name, Object.keys(schemaAt(root, steps)?.properties ?? {}))
    }
  }
  return { path: pathText(steps), message: withMeaning(complaint(error, params), schemaAt(root, steps)?.description) }
}

function complaint(error: ErrorObject, params: Readonly<Record<string, unknown>>): string {
  switch (error.keyword) {
    case 'type':
      return `must be ${words(params['type'])}, not ${kindOf(error.data)}`
    case 'enum':
      return notOneOf(params['allowedValues'] as readonly unknown[], error.data)
    case 'const':
      return `must be ${String(params['allowedValue'])}`
    case 'pattern':
      return notOfForm(String(params['pattern']), shown(error.data), error.parentSchema?.['description'] !== undefined)
    case 'format':
      return `${shown(error.data)} is not a time that exists`
    case 'minItems':
    case 'minLength':
      return `needs at least ${String(params['limit'])} ${error.keyword === 'minItems' ? 'items' : 'characters'}`
    case 'maxItems':
    case 'maxLength':
    case 'maxProperties':
      return `may have at most ${String(params['limit'])} ${error.keyword === 'maxLength' ? 'characters' : 'items'}`
    default:
      return error.message ?? 'is not allowed'
  }
}

function notOneOf(allowed: readonly unknown[], given: unknown): string {
  const near = typeof given === 'string' ? nearest(given, allowed.map(String)) : undefined
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`
  return `must be ${alternatives(allowed)}, not ${shown(given)}${hint}`
}

/** What no one can read helps no one: then the field's description says what its form is. */
function notOfForm(pattern: string, given: string, isDescribed: boolean): string {
  const isReadable = pattern.length <= MOST_READABLE_PATTERN || !isDescribed
  return `${given} has not the form ${isReadable ? pattern : 'asked for'}`
}

const MOST_READABLE_PATTERN = 120

function unknownField(name: string, known: readonly string[]): string {
  if (known.includes('credentialsSecretRef') && CREDENTIALS.test(name)) {
    return 'is not a field: put it into a Secret, and name that in credentialsSecretRef'
  }
  const near = nearest(name, known)
  if (near !== undefined) return `is not a field: did you mean ${near}?`
  return known.length === 0
    ? 'is not a field: remove it'
    : `is not a field: remove it, or use one of ${known.join(', ')}`
}

const CREDENTIALS = /user|password|passphrase|private_?key|secret_?(access_?)?key|access_?key|token$|^credentials$/i

/** The one that was meant, if letters are missing, wrong or of the wrong case. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase()
  return known.find(other => other.toLowerCase() === lower) ?? known.find(other => distance(other, name) <= 2)
}

function withMeaning(message: string, description: string | undefined): string {
  return description === undefined ? message : `${message}. ${description}`
}

function schemaAt(root: Schema, steps: readonly Step[]): Schema | undefined {
  return steps.reduce<Schema | undefined>(
    (schema, step) =>
      typeof step === 'number' ? schema?.items : (schema?.properties?.[step] ?? schema?.additionalProperties),
    root
  )
}

function stepsOf(pointer: string): readonly Step[] {
  const parts = pointer.split('/').slice(1)
  return parts.map(part => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')))
}

function alternatives(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `${values.slice(0, -1).join(', ')} or ${String(values.at(-1))}`
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object',
  integer: 'a whole number',
  string: 'a text',
  boolean: 'true or false'
}

function words(type: unknown): string {
  return [type]
    .flat()
    .map(name => ARTICLES[String(name)] ?? String(name))
    .join(' or ')
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : shown(value)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
