import type { PlannedChange } from '../../operator/objects/dry-run.ts'
import { oneLine } from '../one-line.ts'
import type { Foreseen } from './foresee.ts'
import type { Gap } from './operator-view.ts'

/** What would become of one pipeline. */
export interface PlannedPipeline {
  /** `namespace/name` */
  readonly id: string
  readonly isNew: boolean
  /** Lines of the pipeline's own difference; empty with a name, and where nothing changes. */
  readonly diff: readonly string[]
  /** Why it would not be taken; then nothing is foreseen. */
  readonly refusal: string | undefined
  readonly judge: 'server' | 'here' | undefined
  readonly mode: 'Apply' | 'Plan' | undefined
  readonly foreseen: Foreseen | undefined
}

export const isChange = ({ isNew, diff, foreseen }: PlannedPipeline): boolean =>
  isNew || diff.length > 0 || (foreseen?.changes.length ?? 0) > 0

/** For people; with `full` also all lines of what would be created. */
export function planText(planned: PlannedPipeline, full: boolean): string {
  const { id, refusal, judge, foreseen } = planned
  if (refusal !== undefined) return `BronzePipeline ${id}: would be refused: ${oneLine(refusal)}\n`
  const lines = [
    headOf(planned),
    ...planned.diff.map(line => `  ${line}`),
    ...(judge === 'here' ? ['(judged by our own copy of the rules: you may not apply it yourself)'] : []),
    ...(foreseen === undefined ? [] : foreseenLines(planned, foreseen, full))
  ]
  return `${lines.join('\n')}\n`
}

function headOf({ id, isNew, diff }: PlannedPipeline): string {
  if (isNew) return `BronzePipeline ${id}: new`
  return `BronzePipeline ${id}: ${diff.length === 0 ? 'no changes' : 'changes'}`
}

function foreseenLines({ mode }: PlannedPipeline, foreseen: Foreseen, full: boolean): readonly string[] {
  const { changes, notes, trouble, gaps } = foreseen
  const would = mode === 'Plan' ? 'The operator would, were the mode not Plan:' : 'The operator would then:'
  return [
    ...(changes.length === 0
      ? ['The operator would change nothing.']
      : ['', would, ...changes.flatMap(change => changeLines(change, full)), '']),
    ...notes.map(sentence),
    consumersLine(foreseen),
    ...(trouble === undefined ? [] : [`It would not run: ${oneLine(trouble)}`]),
    ...gaps.map(gap => GAPS[gap])
  ]
}

/** What is in a new object follows from the pipeline, whose difference has been told. */
function changeLines({ do: verb, kind, name, diff, refusal }: PlannedChange, full: boolean): readonly string[] {
  const isShort = verb === 'create' && !full && diff.length > 0
  const more = refusal === undefined ? (isShort ? ` (${diff.length} lines: --full)` : '') : `: ${refusalText(refusal)}`
  return [`  ${verb} ${kind} ${name}${more}`, ...(isShort ? [] : diff.map(line => `    ${line}`))]
}

/** Of the operator's objects others than the operator need to change none. */
const refusalText = (refusal: string): string =>
  /cannot (?:patch|create) resource/.test(refusal)
    ? 'its difference is not known, you may not apply it'
    : oneLine(refusal)

const GAPS: Readonly<Record<Gap, string>> = {
  Secrets: 'Not seen: Secrets. They are taken to be there, and to be as they were when the consumers started.',
  Image: "Not seen: the operator's Deployment, and with it the image that new consumers would run.",
  Others: 'Not seen: pipelines of other namespaces. One of them may hold the same group or table.'
}

function consumersLine({ consumers: { now, afterwards }, scaling }: Foreseen): string {
  const why = scaling === undefined ? '' : ` (${scaling.reason}): ${oneLine(scaling.message)}`
  if (afterwards === undefined)
    return 'Consumers: not known before the brokers have told the number of partitions; --kafka asks them from here.'
  return `Consumers: ${afterwards}${now === afterwards ? ', as now' : `, now ${now}`}${why}`
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`

/** For programs: one object. Its shape is documented in docs/cli.md and only ever grows; what is not known is null. */
export function planJson(planned: PlannedPipeline): object {
  const { id, isNew, diff, refusal, judge, foreseen } = planned
  return {
    pipeline: id,
    changed: isChange(planned),
    new: isNew,
    diff,
    refusal: refusal ?? null,
    judge: judge ?? null,
    changes: foreseen?.changes ?? [],
    notes: foreseen?.notes ?? [],
    consumers:
      foreseen === undefined
        ? null
        : { now: foreseen.consumers.now, afterwards: foreseen.consumers.afterwards ?? null },
    scaling:
      foreseen?.scaling === undefined ? null : { reason: foreseen.scaling.reason, message: foreseen.scaling.message },
    trouble: foreseen?.trouble ?? null,
    notSeen: foreseen?.gaps ?? []
  }
}
