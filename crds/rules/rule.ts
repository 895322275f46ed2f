import type { TopicSpec } from '../pipeline.ts'

/**
 * Whether a rule holds, or the places where it does not, below the place that its CEL twin names: `[3].table`. It holds when
 * there are none.
 */
export type Verdict = boolean | readonly string[]

/**
 * The TypeScript twin of a CEL rule of the definition, asked about the value at the place where the rule stands. `old` is
 * the value before an update; rules that mention it are asked on updates only.
 */
export type Rule = (self: unknown, old: unknown) => Verdict

/** By the message of the CEL rule. */
export type RuleEntry = readonly [message: string, rule: Rule]

export function rule<T>(message: string, holds: (self: T, old: T) => Verdict): RuleEntry {
  return [message, holds as Rule]
}

/** The places of the entries that something is wrong with: `[3].table`. */
export function wrongTopics(
  topics: readonly TopicSpec[],
  field: keyof TopicSpec,
  isRight: (topic: TopicSpec) => boolean
): readonly string[] {
  return topics.flatMap((topic, index) => (isRight(topic) ? [] : [`[${index}].${field}`]))
}

export function areUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

/** JSON with the keys of objects in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )
}

export function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most
}

/** Names in lower case of the columns that a topic lifts. */
export function liftedNames({ columns }: TopicSpec): string[] {
  return columns.map(column => column.name.toLowerCase())
}

/** Names in lower case of the columns that quality rules fill. */
export function qualityNames({ quality }: TopicSpec): string[] {
  return quality ? [...quality.rules.map(({ name }) => name), quality.scoreColumn].map(name => name.toLowerCase()) : []
}
