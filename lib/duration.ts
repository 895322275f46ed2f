const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^(?:[0-9]{1,5}(?:ms|s|m|h|d)){1,4}$/
const PART = /([0-9]{1,5})(ms|s|m|h|d)/g

/** Milliseconds of a duration such as `10s` or `1m30s`; undefined when the text is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  let sum = 0
  for (const [, digits, unit] of text.matchAll(PART)) sum += Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return sum
}
