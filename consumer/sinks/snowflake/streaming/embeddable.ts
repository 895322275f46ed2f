/** In JSON text: strings, so that what remains has the punctuation only. */
const STRINGS = /"(?:[^"\\]|\\.)*"/gs
const PAIR = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/g
/** Half of a pair: no character. */
const HALF = /\\u[dD][89a-fA-F]/

/**
 * Whether Snowflake takes the text as JSON: it is JSON, and no object of it has one key twice (sql-reference/functions/parse_json).
 */
export function isEmbeddable(text: string): boolean {
  if (HALF.test(text) && HALF.test(text.replaceAll(PAIR, ''))) return false
  try {
    return membersOf(JSON.parse(text)) === colonsOf(text)
  } catch {
    return false
  }
}

/** As many as the text has members, those included that a later one of their name replaces. */
const colonsOf = (text: string): number => text.replaceAll(STRINGS, '').split(':').length - 1

function membersOf(value: unknown): number {
  let count = 0
  const open = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const values: unknown[] = Object.values(next)
    if (!Array.isArray(next)) count += values.length
    for (const each of values) open.push(each)
  }
  return count
}
