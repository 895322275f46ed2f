import type { BronzePipeline, TopicEndAt, TopicSpec, TopicStartFrom } from '../crds/pipeline.ts'
import { isRegistered } from '../crds/schema-mode.ts'
import { deadLetterTable, settle } from '../crds/settle.ts'
import { UsageError } from './command.ts'

/** Where a replay begins or ends: offsets are those of the partitions that are named. */
export type ReplayPoint =
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'earliest' }

export interface ReplayChoice {
  /** Name of the entry of `spec.topics`; may be left out where there is but one. */
  readonly entry: string | undefined
  /** None: all of them. */
  readonly partitions: readonly number[]
  readonly from: ReplayPoint
  readonly to: ReplayPoint
  readonly table: string | undefined
  readonly id: string
}

/** Label of a replay, with the name of the pipeline that it reads again. */
const REPLAY_OF = 'bronze.dev/replay-of'

/**
 * The pipeline that reads a part of another one's topics again: with a group and tables of its own, so that neither hinders
 * the other. Whether it is valid is for `parsePipeline` to say. Throws UsageError.
 */
export function replayDocument(pipeline: BronzePipeline, choice: ReplayChoice): BronzePipeline {
  const { apiVersion, kind, metadata, spec } = pipeline
  const { id } = choice
  const entry = entryOf(pipeline, choice.entry)
  const { groupId: _, startFrom: __, ...source } = spec.source
  const { table: letters } = spec.deadLetters
  const { mode: ___, ...rest } = spec
  return {
    apiVersion,
    kind,
    metadata: {
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: `${metadata.name}-replay-${id}`,
      labels: { [REPLAY_OF]: metadata.name }
    },
    spec: {
      ...rest,
      source: { ...source, startFrom: { position: 'Earliest' } },
      topics: [
        {
          ...entry,
          table: choice.table ?? replayTable(entry.table, id),
          startFrom: startFrom(choice),
          endAt: endAt(choice)
        }
      ],
      metadataColumns: spec.metadataColumns.filter(({ source }) => source !== 'SchemaVersion' || isRegistered(entry)),
      deadLetters: {
        policy: ownLetters(spec.deadLetters.policy),
        // A fixed name would be the table of the live pipeline.
        ...(letters === undefined ? {} : { table: letters.includes('{table}') ? letters : replayTable(letters, id) })
      },
      scaling: { mode: 'Partitions', ...maxReplicasOf(spec.scaling) },
      suspend: false
    }
  }
}

/** The tables that belong to the pipeline already, dead-letter tables too. */
export function tablesOf(pipeline: BronzePipeline): readonly string[] {
  const settled = settle(pipeline)
  return settled.topics.flatMap(({ table }) => [table, deadLetterTable(settled, table)])
}

export function entryOf({ spec: { topics } }: BronzePipeline, name: string | undefined): TopicSpec {
  const names = topics.map(topic => topic.name).join(', ')
  const [first, ...more] = name === undefined ? topics : topics.filter(topic => topic.name === name)
  if (first === undefined) throw new UsageError(`--topic: there is no entry ${name} in spec.topics; there are ${names}`)
  if (more.length > 0) throw new UsageError(`choose an entry of spec.topics with --topic: ${names}`)
  return first
}

const replayTable = (table: string, id: string) => `${table}_replay_${id}`

/** The dead-letter topic belongs to the live pipeline's readers. */
const ownLetters = (policy: BronzePipeline['spec']['deadLetters']['policy']) => (policy === 'Topic' ? 'Table' : policy)

const maxReplicasOf = ({ maxReplicas }: BronzePipeline['spec']['scaling']) =>
  maxReplicas === undefined ? {} : { maxReplicas }

function startFrom({ from, partitions }: ReplayChoice): TopicStartFrom {
  if (from.kind === 'earliest') return { position: 'Earliest' }
  if (from.kind === 'time') return { position: 'Timestamp', timestamp: new Date(from.ms).toISOString() }
  return { position: 'Offsets', offsets: partitions.map(partition => ({ partition, offset: from.offset })) }
}

function endAt({ to, partitions }: ReplayChoice): TopicEndAt {
  if (to.kind === 'offset')
    return { position: 'Offsets', offsets: partitions.map(partition => ({ partition, offset: to.offset })) }
  const ms = to.kind === 'time' ? to.ms : 0
  const only = partitions.length === 0 ? {} : { partitions: [...partitions] }
  return { position: 'Timestamp', timestamp: new Date(ms).toISOString(), ...only }
}
