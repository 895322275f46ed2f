type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Applies a JSON merge patch (RFC 7386): null takes a field away, lists are replaced as a whole. */
export function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merged(result[name], value)
  }
  return result
}

/**
 * The merge patch with which a manifest is applied that was applied before as `last`: what the manifest says, and null for
 * what it no longer says. Fields that neither ever had stay as they are: somebody else has set them.
 */
export function appliedPatch(last: unknown, manifest: unknown): unknown {
  if (!isObject(manifest)) return manifest
  const old = isObject(last) ? last : {}
  const gone = Object.keys(old).filter(name => manifest[name] === undefined)
  const kept = Object.entries(manifest).filter(([, value]) => value !== undefined)
  return Object.fromEntries([
    ...gone.map(name => [name, null] as const),
    ...kept.map(([name, value]) => [name, appliedPatch(old[name], value)] as const)
  ])
}
