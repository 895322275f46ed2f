export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Not with a lone backslash among them: V8 13.6 at times reads the key `\\n` as such a one when it has seen both. */
const KEYS = ['a', 'b', 'id', 'event_type', 'ü', 'x/y', 'm~n', '', '0', '1', '"', 'with space', '\n', 'a\\b']
const STRINGS = [
  '',
  'a',
  'text with "quotes"',
  'back\\slash',
  'ü€😀',
  '\u0000\u001f',
  'é'.repeat(20),
  '/',
  '\u2028',
  '\ud800'
]
const NUMBERS = [0, 1, -1, 0.5, -12.75, 1e300, 1e-7, 2 ** 53, 123456789, -2147483648]

/** A document of at most `depth` levels below its first. */
export function randomDocument(random: () => number, depth: number): Json {
  const kind = Math.floor(random() * (depth > 0 ? 8 : 4))
  const size = Math.floor(random() * 4)
  switch (kind) {
    case 0:
      return null
    case 1:
      return random() < 0.5
    case 2:
      return pick(NUMBERS, random)
    case 3:
      return pick(STRINGS, random)
    case 4:
    case 5:
      return Array.from({ length: size }, () => randomDocument(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: size + 1 }, () => [pick(KEYS, random), randomDocument(random, depth - 1)])
      )
  }
}

const SPLICED = Buffer.from('{}[]",:0123456789-+.eE \n\t\\utfnrlsab\0\x1f\x80\xc3\xa4\xe2\xff', 'latin1')

/** A few bytes changed, put in, taken out or moved. */
export function mutated(document: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(document)
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * (bytes.length + 1))
    const byte = Buffer.from([SPLICED[Math.floor(random() * SPLICED.length)] ?? 0])
    const kind = Math.floor(random() * 4)
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at)])
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at + 1)])
    else bytes = Buffer.from(bytes.subarray(0, at))
  }
  return bytes
}

const pick = <T>(values: readonly T[], random: () => number): T => values[Math.floor(random() * values.length)] as T
