import type { TopicSpec } from './pipeline.ts'
import type { SettledSchema } from './settled.ts'

/** Whether values begin with the id of their schema in a registry. */
export const isRegistered = ({ format }: Pick<TopicSpec, 'format'>): boolean => REGISTERED.includes(format)

const REGISTERED: readonly TopicSpec['format'][] = ['Avro', 'Protobuf', 'JsonSchema']

/** How the fields of an entry's values become columns: what it says, else what its format has by itself. */
export function schemaMode(topic: TopicSpec): SettledSchema['mode'] {
  return topic.schema?.mode ?? (isRegistered(topic) ? 'Registered' : 'Payload')
}
