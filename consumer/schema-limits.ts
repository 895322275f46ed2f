/** Schemas come from outside: more than this is not read. */
export const SCHEMA_LIMITS = { bytes: 1 << 20, depth: 32, fields: 1000, types: 10_000, fixedBytes: 1 << 20 } as const

/** A schema that is not what its format says, or beyond what we read. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}
