import type { Binding } from '../columns/binding.ts'
import { jsonText } from './avro-values.ts'
import type { FieldPlan, Kind, MessagePlan, ValuePlan } from './proto-plan.ts'
import type { MessageValues } from './proto-scanner.ts'
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS } from './timestamp.ts'

const NANOS = 1_000_000_000

/**
 * What a field has, as `appendField` and rules take it: objects, arrays, Maps; null for what is not set and may be.
 * With bindings, parts of messages have the names that they are bound to.
 */
export function plainOf(field: FieldPlan, value: unknown, inner: readonly Binding[] | undefined): unknown {
  const plan = field.value
  switch (field.label) {
    case 'repeated':
      return ((value ?? []) as readonly unknown[]).map(item => plainValue(plan, item, inner))
    case 'map': {
      const entries = [...((value ?? new Map()) as ReadonlyMap<unknown, unknown>)]
      return new Map(entries.map(([key, item]) => [key, plainValue(plan, item, inner)]))
    }
    case 'implicit':
      return plainValue(plan, value ?? defaultOf(plan), inner)
    case 'explicit':
    case 'required':
      return value === undefined ? null : plainValue(plan, value, inner)
  }
}

function plainValue(plan: ValuePlan, value: unknown, inner: readonly Binding[] | undefined): unknown {
  const { kind, message } = plan
  if (message === undefined) return value
  const values = value as MessageValues
  if (kind === 'message') return structOf(message, values, inner)
  if (kind === 'timestamp') return microsOf(message, values)
  if (kind === 'json') return jsonText(jsonOf(message, values))
  const [wrapped] = message.fields
  return wrapped && (values[wrapped.index] ?? defaultOf(wrapped.value))
}

function structOf(plan: MessagePlan, values: MessageValues, inner: readonly Binding[] | undefined): unknown {
  // Without a prototype: `constructor` and `__proto__` are names like others.
  const struct = Object.create(null) as Record<string, unknown>
  for (const field of plan.fields) {
    const binding = inner?.find(({ source }) => source === field.name)
    if (inner === undefined || binding !== undefined)
      struct[binding?.target ?? field.name] = plainOf(field, values[field.index], binding?.inner)
  }
  return struct
}

/** What is not set, as values have it. */
export function defaultOf({ kind, symbols }: ValuePlan): unknown {
  if (kind === 'enum') return symbols.get(0) ?? '0'
  return kind in DEFAULTS ? DEFAULTS[kind] : kind === 'uint64' || kind === 'fixed64' ? 0n : 0
}

const DEFAULTS: Readonly<Partial<Record<Kind, unknown>>> = {
  bool: false,
  string: '',
  bytes: Buffer.alloc(0),
  message: [],
  timestamp: [],
  wrapper: [],
  json: []
}

/** Microseconds of a `google.protobuf.Timestamp`, what is below them cut off; undefined beyond the years 1 to 9999. */
export function microsOf(plan: MessagePlan, values: MessageValues): number | bigint | undefined {
  const [seconds = 0, nanos = 0] = [1, 2].map(number => values[plan.byNumber.get(number)?.index ?? -1])
  if (typeof seconds !== 'number' || typeof nanos !== 'number' || nanos < 0 || nanos >= NANOS) return undefined
  if (seconds * 1000 < MIN_TIMESTAMP_MS || seconds * 1000 > MAX_TIMESTAMP_MS) return undefined
  const below = Math.floor(nanos / 1000)
  const micros = seconds * 1_000_000 + below
  return Number.isSafeInteger(micros) ? micros : BigInt(seconds) * 1_000_000n + BigInt(below)
}

/** For `jsonText`: what is set, by its name in the schema; what is JSON by itself (Struct, Value, ListValue) as that. */
export function jsonOf(plan: MessagePlan, values: MessageValues): unknown {
  const set = plan.fields.filter(({ index }) => values[index] !== undefined)
  const part = (field: FieldPlan) => jsonPart(field, values[field.index])
  const [first] = set
  switch (plan.name) {
    case 'google.protobuf.Struct':
      return first === undefined ? new Map() : part(first)
    case 'google.protobuf.ListValue':
      return first === undefined ? [] : part(first)
    case 'google.protobuf.Value':
      return first === undefined || first.name === 'null_value' || first.name === 'nullValue' ? null : part(first)
    default:
      return new Map(set.map(field => [field.name, part(field)]))
  }
}

function jsonPart({ label, value: { message } }: FieldPlan, value: unknown): unknown {
  const one = (item: unknown) => (message === undefined ? item : jsonOf(message, item as MessageValues))
  if (label === 'repeated') return (value as readonly unknown[]).map(one)
  if (label !== 'map') return one(value)
  return new Map([...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [String(key), one(item)]))
}
