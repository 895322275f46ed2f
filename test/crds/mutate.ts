const CHARACTERS = 'aZ059 _-./:@{}[]()*+?^$|\\~#%é\n\u00a0\u2028'.split('')

type Container = Record<string, unknown> | unknown[]
type Slot = { readonly holder: Container; readonly key: string | number }

const ODDITIES: readonly unknown[] = [
  null,
  '',
  ' ',
  'a',
  'A',
  'é',
  'value',
  '_error',
  'dlq_trips',
  '0',
  '10s',
  '1Mi',
  '.',
  '..',
  '{table}',
  '{topic}',
  'x'.repeat(300),
  0,
  1,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  true,
  false,
  [],
  {},
  [null],
  { name: 'a' }
]

/**
 * A manifest like `document` with one or two places changed: taken away, doubled, given something odd, a character
 * exchanged, or what stands at the same kind of place in another manifest.
 */
export function mutate(document: unknown, others: readonly unknown[], random: () => number): unknown {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const mutant = structuredClone(document)
  for (let changes = Math.ceil(random() * 1.5); changes > 0; changes--) {
    const slots = slotsIn((mutant as { spec: unknown }).spec)
    if (slots.length === 0) break
    const { holder, key } = pick(slots)
    const donors = others.flatMap(other => slotsIn((other as { spec: unknown }).spec).filter(slot => slot.key === key))
    const action = random()
    const value = at(holder, key)
    if (action < 0.2) remove(holder, key)
    else if (action < 0.3 && Array.isArray(holder)) holder.push(structuredClone(holder[key as number]))
    else if (action < 0.7 && donors.length > 0) {
      const donor = pick(donors)
      put(holder, key, structuredClone(at(donor.holder, donor.key)))
    } else if (action < 0.9 && typeof value === 'string') put(holder, key, exchanged(value, random))
    else if (action < 0.95 && !Array.isArray(holder))
      holder[pick(['name', 'table', 'topic', 'omit', 'extra'])] = pick(ODDITIES)
    else put(holder, key, structuredClone(pick(ODDITIES)))
  }
  return mutant
}

function exchanged(text: string, random: () => number): string {
  const place = Math.floor(random() * (text.length + 1))
  const character = CHARACTERS[Math.floor(random() * CHARACTERS.length)]!
  return text.slice(0, place) + character + text.slice(place + Math.floor(random() * 2))
}

function slotsIn(value: unknown): readonly Slot[] {
  if (value === null || typeof value !== 'object') return []
  const holder = value as Container
  const keys = Array.isArray(holder) ? [...holder.keys()] : Object.keys(holder)
  return keys.flatMap(key => [{ holder, key }, ...slotsIn(at(holder, key))])
}

function at(holder: Container, key: string | number): unknown {
  return (holder as Record<string | number, unknown>)[key]
}

function put(holder: Container, key: string | number, value: unknown): void {
  ;(holder as Record<string | number, unknown>)[key] = value
}

function remove(holder: Container, key: string | number): void {
  if (Array.isArray(holder)) holder.splice(key as number, 1)
  else delete holder[key]
}
