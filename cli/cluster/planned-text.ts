import type { BronzePipelineStatus } from '../../crds/pipeline.ts'
import { oneLine } from '../one-line.ts'

/** What the operator would do, of a pipeline whose mode is Plan. */
export type PlannedStatus = NonNullable<BronzePipelineStatus['plan']>

/** A line for each object, and the lines of its difference below it. */
export function planLines({ changes = [], message }: PlannedStatus): readonly string[] {
  return [
    ...(message === undefined ? [] : [oneLine(message)]),
    ...changes.flatMap(({ do: verb, kind, name, diff = [], refusal }) => [
      `${verb.toLowerCase()} ${kind} ${name}${refusal === undefined ? '' : `: refused: ${oneLine(refusal)}`}`,
      ...diff.map(line => `  ${line}`)
    ])
  ]
}
