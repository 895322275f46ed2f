import type { MetadataSource, SettledTopic } from '../../crds/settled.ts'
import type { TableSchema } from '../columns/schema.ts'

/** A value that is the same for all rows of a batch; timestamps in microseconds, dates in days. */
export type Constant = string | number | bigint

/** The columns whose value is one for a whole batch: when it was taken, in UTC. Only those that the schema has. */
export function batchConstants(
  entries: readonly SettledTopic[],
  schema: TableSchema,
  takenAtMs: number
): ReadonlyMap<string, Constant> {
  const values: Partial<Record<MetadataSource, Constant>> = {
    IngestedAt: BigInt(takenAtMs) * 1_000n,
    IngestionDate: Math.floor(takenAtMs / 86_400_000),
    IngestionHour: new Date(takenAtMs).getUTCHours()
  }
  const names = new Set(schema.fields.map(({ name }) => name))
  const constants = new Map<string, Constant>()
  for (const { source, name } of entries.flatMap(({ metadataColumns }) => metadataColumns)) {
    const value = values[source]
    if (value !== undefined && names.has(name)) constants.set(name, value)
  }
  return constants
}
