import { isDeepStrictEqual } from 'node:util'
import type { Schema } from './schema.ts'

/**
 * A value without the fields that hold what the schema fills in by itself: what is left is what somebody wrote. So a schema
 * with one more default gives the same for the same manifest. The value stays as it is.
 */
export function withoutDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) return value.map(item => withoutDefaults(item, schema.items))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, field]: [string, unknown]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties
    const written = withoutDefaults(field, known)
    return isDefault(written, known) ? [] : [[name, written] as const]
  })
  return Object.fromEntries(entries)
}

function isDefault(written: unknown, schema: Schema | undefined): boolean {
  return schema?.default !== undefined && isDeepStrictEqual(written, withoutDefaults(schema.default, schema))
}
