import { isDeepStrictEqual } from 'node:util'
import type { Rendering } from './revision.ts'

/** What keeps consumers from being ready. */
export interface Failure {
  /** One word, as conditions have it. */
  readonly reason: string
  /** Source: the operator itself cannot reach Kafka, with what the spec says. */
  readonly seenBy: 'Source' | 'Consumer'
}

/**
 * Whether a failure of one revision would hit another one too: then going back to that does not help. It would when all
 * that the failure can come from is the same in both. What is not known to come from somewhere may come from anywhere.
 */
export function hitsBoth({ reason, seenBy }: Failure, failing: Rendering, other: Rendering): boolean {
  const parts = seenBy === 'Source' ? ['source'] : CAUSES.find(([pattern]) => pattern.test(reason))?.[1]
  if (parts === undefined) return false
  return parts.every(part => isDeepStrictEqual(partOf(failing, part), partOf(other, part)))
}

/** First match counts. */
const CAUSES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(?:ErrImage|Image|InvalidImageName$)/, ['image', 'imagePullSecrets']],
  [/^Unschedulable$/, ['resources', 'nodeSelector', 'tolerations', 'priorityClassName']],
  [/^(?:FailedMount|CreateContainerConfigError)$/, ['volumes', 'image']],
  [/^(?:Source|Broker|Session|Group|Instance|Topic|Bootstrap)/, ['source', 'topics', 'image']],
  [/^(?:S3|Catalog|Snowflake|Store|NoPutIfAbsent$|Credentials|RefusedBy)/, ['sink', 'topics', 'image']],
  [
    /^(?:Table|RolledBack$|Delta|Iceberg|Parquet|Offsets|Ledger|Foreign|Unsupported|Incompatible)/,
    ['sink', 'topics', 'image']
  ],
  [/^DeadLetter/, ['source', 'sink', 'topics', 'deadLetters', 'image']]
]

const OF_CONTAINER = new Set(['image', 'resources'])
const OF_POD = new Set(['imagePullSecrets', 'nodeSelector', 'tolerations', 'priorityClassName', 'volumes'])

type Fields = Readonly<Record<string, unknown>>

function partOf({ config, template }: Rendering, part: string): unknown {
  if (OF_CONTAINER.has(part)) return (template.spec.containers[0] as Fields | undefined)?.[part]
  if (part === 'volumes') return template.spec.volumes?.filter(({ configMap }) => configMap === undefined)
  if (OF_POD.has(part)) return (template.spec as unknown as Fields)[part]
  // Our own text, which is JSON.
  return (JSON.parse(config) as { readonly spec: Fields }).spec[part]
}
