import type { Clock } from '../../../../lib/clock.ts'

/** A UUID of version 7 (RFC 9562 section 5.7), as the REST protocol wants its idempotency keys. */
export function uuidV7(clock: Clock): string {
  const time = Math.floor(clock.now()).toString(16).padStart(12, '0')
  const random = (bits: number) => Math.floor(clock.random() * 2 ** bits)
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const tail = hex(random(24), 6) + hex(random(24), 6)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(random(12), 3)}-${hex(0x8000 | random(14), 4)}-${tail}`
}
