import { Ajv, type ErrorObject } from 'ajv'
import { isDeepStrictEqual } from 'node:util'
import { problemsBeyondServer } from './beyond-server.ts'
import { closedSchema, withoutNulls } from './json-schema.ts'
import type { BronzePipeline } from './pipeline.ts'
import { type Problem, problemOf, type Step, pathText } from './problem.ts'
import { rules } from './rules.ts'
import { API_VERSION, type CelRule, KIND, pipelineSchema, type Schema } from './schema.ts'

export type ParseResult =
  | { readonly ok: true; readonly pipeline: BronzePipeline }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Judges a document as the API server does, and in what that cannot; fills its defaults. The document stays as it is. The
 * status is handed on unread: it is the operator's own.
 */
export function parsePipeline(document: unknown): ParseResult {
  const judged = judgeAsServer(document)
  if (!judged.ok) return judged
  const problems = problemsBeyondServer(judged.pipeline)
  return problems.length === 0 ? judged : { ok: false, problems }
}

/**
 * The schema is our own, and an API server takes it (`test/integration/crds`): it is not judged here too. That and the
 * optimizing of code that runs once take half of the CPU time of making the validator, which each start of a consumer
 * pays.
 */
const MADE_FAST = { meta: false, validateSchema: false, code: { optimize: false } } as const

const ajv = new Ajv({
  ...MADE_FAST,
  allErrors: true,
  useDefaults: true,
  strict: false,
  verbose: true,
  formats: { 'date-time': isTime }
})
const hasForm = ajv.compile(closedSchema(pipelineSchema, API_VERSION, KIND))

/**
 * Judges a document as the API server does with `fieldValidation=Strict`, as a change when there is an `old` one, and no
 * further: it compiles no expressions, and drops nulls before it looks.
 */
export function judgeAsServer(document: unknown, old?: BronzePipeline): ParseResult {
  const { status, ...rest } = { ...(structuredClone(document) as Partial<BronzePipeline> | null) }
  const pipeline = withoutNulls(rest, pipelineSchema)
  if (!hasForm(pipeline)) return { ok: false, problems: unique((hasForm.errors ?? []).map(formProblem)) }
  const problems = [...brokenRules(pipelineSchema, pipeline, old, [])]
  if (problems.length > 0) return { ok: false, problems }
  const accepted = pipeline as BronzePipeline
  return { ok: true, pipeline: status === undefined ? accepted : { ...accepted, status } }
}

function formProblem(error: ErrorObject): Problem {
  return problemOf(error, pipelineSchema)
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter((problem, index) => problems.findIndex(other => isDeepStrictEqual(other, problem)) === index)
}

/** Walks value and schema together. Items of a list map are compared with the old item of the same keys. */
function* brokenRules(schema: Schema, value: unknown, old: unknown, path: readonly Step[]): Generator<Problem> {
  if (value === undefined) return
  for (const rule of schema['x-kubernetes-validations'] ?? []) yield* brokenRule(rule, value, old, path)
  if (Array.isArray(value)) yield* brokenItems(schema, value, old, path)
  else if (schema.properties) {
    const [fields, oldFields] = [value, old ?? {}] as [Record<string, unknown>, Record<string, unknown>]
    for (const [name, field] of Object.entries(schema.properties)) {
      yield* brokenRules(field, fields[name], oldFields[name], [...path, name])
    }
  }
}

function* brokenRule(
  { rule, message, fieldPath }: CelRule,
  self: unknown,
  old: unknown,
  path: readonly Step[]
): Generator<Problem> {
  if (rule.includes('oldSelf') && old === undefined) return
  const holds = rules.get(message)
  if (!holds) throw new Error(`no twin of the rule: ${message}`)
  const verdict = holds(self, old)
  const places = typeof verdict === 'boolean' ? (verdict ? [] : ['']) : verdict
  for (const place of places) yield { path: `${pathText(path)}${fieldPath ?? ''}${place}`, message }
}

function* brokenItems(
  schema: Schema,
  items: readonly unknown[],
  old: unknown,
  path: readonly Step[]
): Generator<Problem> {
  const keys = schema['x-kubernetes-list-map-keys']
  const keyOf = (item: unknown) => JSON.stringify(keys?.map(key => (item as Record<string, unknown>)[key]))
  const oldItems = new Map(keys && Array.isArray(old) ? old.map(item => [keyOf(item), item as unknown]) : [])
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const itemPath = [...path, index]
    if (keys && seen.has(keyOf(item))) {
      yield {
        path: pathText(itemPath),
        message: `repeats the ${keys.join(', ')} of an earlier item: each may appear once`
      }
    }
    seen.add(keyOf(item))
    yield* brokenRules(schema.items!, item, oldItems.get(keyOf(item)), itemPath)
  }
}

/** RFC 3339 with a day that exists; the pattern beside it checks the form. */
function isTime(text: string): boolean {
  const day = text.slice(0, 10)
  const time = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) && !Number.isNaN(Date.parse(text))
}
