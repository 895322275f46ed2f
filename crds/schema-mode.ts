import type { TopicSpec } from './pipeline.ts'
import type { SettledSchema } from './settled.ts'

/** How the fields of an entry's values become columns: what it says, else what its format has by itself. */
export function schemaMode({ format, schema }: TopicSpec): SettledSchema['mode'] {
  return format === 'Avro' ? 'Registered' : (schema?.mode ?? 'Payload')
}
