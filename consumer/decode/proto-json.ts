import { jsonText } from './avro-values.ts'
import type { FieldPlan, ValuePlan } from './proto-plan.ts'
import type { MessageValues } from './proto-scanner.ts'
import { defaultOf, jsonOf, microsOf } from './proto-values.ts'
import { timestampJson } from './time-json.ts'

/**
 * What a field has, as JSON text, with the same members and values as columns of its parts would have; undefined for what is not set
 * and may be.
 */
export function fieldJson({ label, value: plan }: FieldPlan, value: unknown): string | undefined {
  switch (label) {
    case 'repeated':
      return `[${((value ?? []) as readonly unknown[]).map(item => valueJson(plan, item)).join(',')}]`
    case 'map': {
      const entries = [...((value ?? new Map()) as ReadonlyMap<unknown, unknown>)]
      return `{${entries.map(([key, item]) => `${JSON.stringify(String(key))}:${valueJson(plan, item)}`).join(',')}}`
    }
    case 'implicit':
      return valueJson(plan, value ?? defaultOf(plan))
    case 'explicit':
    case 'required':
      return value === undefined ? undefined : valueJson(plan, value)
  }
}

function valueJson(plan: ValuePlan, value: unknown): string {
  const { kind, message } = plan
  if (message === undefined) return jsonText(value)
  const values = value as MessageValues
  if (kind === 'timestamp') {
    const micros = microsOf(message, values)
    return micros === undefined ? 'null' : timestampJson(micros, true)
  }
  if (kind === 'json') return jsonText(jsonOf(message, values))
  if (kind === 'wrapper') {
    const [wrapped] = message.fields
    return wrapped === undefined ? 'null' : jsonText(values[wrapped.index] ?? defaultOf(wrapped.value))
  }
  const members = message.fields.map(
    field => `${JSON.stringify(field.name)}:${fieldJson(field, values[field.index]) ?? 'null'}`
  )
  return `{${members.join(',')}}`
}
