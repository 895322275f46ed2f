/** JSON from outside that is not what the specification says. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export type Json = Readonly<Record<string, unknown>>

export function asObject(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(`${what} is no object`)
  return value as Json
}

export function asList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed(`${what} is no list`)
  return value
}

/** An absent or null list is empty. */
export const listOr = (value: unknown, what: string): readonly unknown[] =>
  value === undefined || value === null ? [] : asList(value, what)

export function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Malformed(`${what} is no text`)
  return value
}

export function asInteger(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Malformed(`${what} is no integer`)
  return value
}

export const integerOr = <T>(value: unknown, otherwise: T, what: string): number | T =>
  value === undefined || value === null ? otherwise : asInteger(value, what)

export function asBoolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new Malformed(`${what} is neither true nor false`)
  return value
}

/** A 64-bit id: as parsed it is a number while that is exact, else a bigint. */
export function asId(value: unknown, what: string): bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw new Malformed(`${what} is no 64-bit integer`)
  return BigInt(value as number | bigint)
}

/** Text by text; other values are refused. */
export function asTexts(value: unknown, what: string): Readonly<Record<string, string>> {
  const texts = Object.create(null) as Record<string, string>
  for (const [key, each] of Object.entries(value === undefined || value === null ? {} : asObject(value, what)))
    texts[key] = asText(each, `${what}.${key}`)
  return texts
}
