/** What a double may not hold exactly has at least this many digits. */
const LONG_NUMBER = /\d{16}/

/** JSON whose whole numbers survive beyond 2^53: those come as bigint. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as unknown
  // The third argument of the reviver (ES2026, in V8) carries the digits as they were written.
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const { source = '' } = context ?? {}
    return /^-?\d+$/.test(source) ? BigInt(source) : value
  }
  return JSON.parse(text, revive) as unknown
}

const { rawJSON } = JSON as unknown as { rawJSON: (this: void, text: string) => unknown }

/** The reverse: bigint becomes a JSON number. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? rawJSON(String(each)) : each))
}

/** A number that is written with these digits. */
export const rawNumber = (digits: string): unknown => rawJSON(digits)
