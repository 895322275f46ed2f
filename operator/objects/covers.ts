import { parseQuantity } from '../../lib/quantity.ts'
import type { KubeObject } from '../kube/kube.ts'
import { APPLIED } from './names.ts'

/** Whether applying `wanted` would change anything: another content than last time, or somebody changed what we set. */
export function changes(there: KubeObject | undefined, wanted: KubeObject): boolean {
  if (there === undefined) return true
  return there.metadata.annotations?.[APPLIED] !== wanted.metadata.annotations?.[APPLIED] || !covers(there, wanted)
}

/**
 * Whether an object has all that `wanted` has; it may have more, which the API server or others have added. What is empty is
 * the same as what is absent, and quantities are compared by what they mean: the API server writes both its own way.
 */
export function covers(there: unknown, wanted: unknown, isQuantity = false): boolean {
  if (isEmpty(wanted)) return true
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, index) => covers(there[index], item, isQuantity))
    )
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof there !== 'object' || there === null) return false
    const fields = there as Record<string, unknown>
    return Object.entries(wanted).every(([name, value]) =>
      covers(fields[name], value, isQuantity || name === 'resources')
    )
  }
  if (there === wanted) return true
  return isQuantity && parseQuantity(String(there)) === parseQuantity(String(wanted))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
