import type { Schema } from './schema.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** JSON Schema for ajv that refuses unknown fields, as the API server does with `fieldValidation=Strict`. */
export function closedSchema(root: Schema, apiVersion: string, kind: string): JsonSchema {
  const { metadata, spec } = root.properties!
  return {
    type: 'object',
    required: root.required,
    additionalProperties: false,
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: objectMeta(metadata!.properties!.name!),
      spec: closed(spec!)
    }
  }
}

/** Drops nulls where the API server does: fields and map entries, not items of lists. Changes `value` itself. */
export function withoutNulls(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) for (const item of value) withoutNulls(item, schema?.items)
  else if (value !== null && typeof value === 'object') {
    const fields = value as Record<string, unknown>
    for (const [name, field] of Object.entries(fields)) {
      const known = schema?.properties?.[name] ?? schema?.additionalProperties
      if (field === null && known) delete fields[name]
      else withoutNulls(field, known)
    }
  }
  return value
}

function closed(schema: Schema): JsonSchema {
  const { properties, additionalProperties, items, type, format, ...rest } = schema
  const plain = Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith('x-kubernetes-')))
  if (schema['x-kubernetes-int-or-string']) return { ...plain, type: ['integer', 'string'] }
  return {
    ...plain,
    type,
    ...(format === 'date-time' ? { format } : {}),
    ...(format === 'int32' ? { minimum: schema.minimum ?? -(2 ** 31), maximum: schema.maximum ?? 2 ** 31 - 1 } : {}),
    ...(items ? { items: closed(items) } : {}),
    ...(additionalProperties ? { additionalProperties: closed(additionalProperties) } : {}),
    ...(properties
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, closed(field)])) }
      : {}),
    ...(properties ? { additionalProperties: false } : {})
  }
}

const text = { type: 'string' }
const texts = { type: 'object', additionalProperties: text }
const anything = {}

/** Kubernetes' ObjectMeta, so far as to know its fields; the API server judges what they hold. */
const objectMeta = (name: Schema): JsonSchema => ({
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: closed(name),
    namespace: { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: text },
    ownerReferences: { type: 'array' },
    managedFields: { type: 'array' },
    creationTimestamp: anything,
    deletionTimestamp: anything,
    deletionGracePeriodSeconds: anything,
    generateName: text,
    generation: { type: 'integer' },
    resourceVersion: text,
    selfLink: text,
    uid: text
  }
})
