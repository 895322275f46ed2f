const BACKSLASH = 0x5c
const LETTER_U = 0x75

/**
 * Whether JSON has an escape of half a surrogate pair alone (`\\ud800`): its grammar allows that (RFC 8259, section 8.2), no text can
 * hold it. `start` is at or before the first `\\u`, and within no escape but perhaps one of a backslash that ends before it.
 */
export function hasHalfCharacter(json: Uint8Array, start: number, end: number): boolean {
  let at = start
  // A run of backslashes before it may be what `start` was found in the middle of.
  while (at > 0 && json[at - 1] === BACKSLASH) at--
  while (at < end) {
    if (json[at] !== BACKSLASH) {
      at++
      continue
    }
    if (json[at + 1] !== LETTER_U) {
      at += 2
      continue
    }
    const half = halfOf(json, at)
    at += 6
    if (half === undefined) continue
    if (half === 'low' || json[at] !== BACKSLASH || json[at + 1] !== LETTER_U || halfOf(json, at) !== 'low') return true
    at += 6
  }
  return false
}

/** Which half of a surrogate pair the escape at `at` (a backslash, `u`, four digits) is; undefined when it is neither. */
function halfOf(json: Uint8Array, at: number): 'high' | 'low' | undefined {
  const [first = 0, second = 0] = [json[at + 2], json[at + 3]]
  if (first !== 0x64 && first !== 0x44) return undefined
  // In the order of their bytes: 8, 9, A, B, then C to F, in either case.
  const letter = second | 0x20
  if (second === 0x38 || second === 0x39 || letter === 0x61 || letter === 0x62) return 'high'
  return letter >= 0x63 && letter <= 0x66 ? 'low' : undefined
}
