import type { PlannedObject, PlanStatus } from '../../crds/pipeline.ts'
import type { PlannedChange } from '../objects/dry-run.ts'
import type { Facts } from '../facts.ts'

const MAX_CHANGES = 16
/** Of one object's lines, in UTF-8. */
const MAX_DIFF_BYTES = 4096
const MAX_LINES = 256
const MAX_LINE = 400
const MAX_REFUSAL = 1000
const CUT = '...'
const VERBS = { create: 'Create', change: 'Change', delete: 'Delete' } as const

/**
 * What the status tells of a plan that is not carried out; `changes` is undefined while the API server has not been asked.
 * It is made for people: what does not fit is cut.
 */
export function planStatus(
  facts: Pick<Facts, 'generation' | 'conflict' | 'missingSecrets'>,
  changes: readonly PlannedChange[] | undefined,
  before: PlanStatus | undefined
): PlanStatus | undefined {
  if (changes === undefined) return before
  const { generation } = facts
  return { generation, message: messageOf(facts, changes), changes: changes.slice(0, MAX_CHANGES).map(plannedObject) }
}

function messageOf(
  { conflict, missingSecrets }: Pick<Facts, 'conflict' | 'missingSecrets'>,
  changes: readonly PlannedChange[]
): string {
  if (conflict !== undefined) return clip(`nothing can be done: ${conflict}`, MAX_REFUSAL)
  const count = (verb: PlannedChange['do'], words: string) => {
    const names = changes.filter(change => change.do === verb).map(({ kind }) => kind)
    return names.length === 0 ? [] : [`${words} ${names.join(', ')}`]
  }
  const done = [...count('create', 'creates'), ...count('change', 'changes'), ...count('delete', 'deletes')]
  const refused = changes.filter(({ refusal }) => refusal !== undefined).length
  const secrets = missingSecrets.map(({ name }) => name)
  const sentences = [
    done.length === 0 ? 'nothing would change' : `spec.mode: Apply ${done.join('; ')}`,
    ...(refused === 0 ? [] : [`the API server refuses ${refused} of them`]),
    ...(secrets.length === 0 ? [] : [`consumers wait for the Secrets ${secrets.join(', ')}`])
  ]
  return clip(sentences.join('; '), MAX_REFUSAL)
}

function plannedObject({ do: verb, kind, name, diff, refusal }: PlannedChange): PlannedObject {
  return {
    do: VERBS[verb],
    kind,
    name,
    ...(diff.length === 0 ? {} : { diff: cut(diff) }),
    ...(refusal === undefined ? {} : { refusal: clip(refusal, MAX_REFUSAL) })
  }
}

function cut(lines: readonly string[]): readonly string[] {
  const kept: string[] = []
  let bytes = CUT.length
  for (const line of lines) {
    const text = clip(line, MAX_LINE)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > MAX_DIFF_BYTES || kept.length === MAX_LINES - 1) return [...kept, CUT]
    kept.push(text)
  }
  return kept
}

const clip = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 3)}${CUT}`)
