import { RetryableError } from '../../lib/errors.ts'
import type { Get } from './get.ts'

/** A schema as the registry holds it, with all it refers to. */
export interface LoadedSchema {
  readonly type: 'AVRO' | 'PROTOBUF' | 'JSON' | 'OTHER'
  readonly text: string
  /** The schemas that it refers to, directly or not; each comes after those that it needs itself. */
  readonly references: readonly ReferredSchema[]
}

export interface ReferredSchema {
  /** As those call it that refer to it: a full name, a file to import, a URI. One schema may have several. */
  readonly name: string
  readonly text: string
}

const MAX_REFERENCES = 100

/** Undefined when the registry does not know the id, or something that the schema refers to. RetryableError for trouble. */
export async function loadSchema(get: Get, id: number): Promise<LoadedSchema | undefined> {
  const own = await stored(get, `/schemas/ids/${id}`)
  if (own === undefined) return undefined
  const seen = new Set<string>()
  const references: ReferredSchema[] = []
  const load = async (names: readonly Reference[]): Promise<boolean> => {
    for (const { name, subject, version } of names) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      const key = `${path} ${name}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > MAX_REFERENCES)
        throw new RetryableError('RegistryMisanswered', `schema ${id} refers to more than ${MAX_REFERENCES} others`)
      const found = await stored(get, path)
      if (found === undefined || !(await load(found.references))) return false
      references.push({ name, text: found.text })
    }
    return true
  }
  return (await load(own.references)) ? { type: own.type, text: own.text, references } : undefined
}

/** Version of the schema in each subject that has it; empty where the registry has no such path. */
export async function loadVersions(get: Get, id: number): Promise<ReadonlyMap<string, number>> {
  const answer = await get(`/schemas/ids/${id}/versions`)
  const versions = new Map<string, number>()
  if (answer.kind !== 'found' || !Array.isArray(answer.json)) return versions
  for (const each of answer.json as readonly unknown[]) {
    const { subject, version } = (each ?? {}) as { subject?: unknown; version?: unknown }
    if (typeof subject !== 'string' || !Number.isSafeInteger(version)) continue
    // A schema that was registered anew is the newer one.
    versions.set(subject, Math.max(versions.get(subject) ?? 0, version as number))
  }
  return versions
}

interface Reference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

interface Stored {
  readonly type: LoadedSchema['type']
  readonly text: string
  readonly references: readonly Reference[]
}

async function stored(get: Get, path: string): Promise<Stored | undefined> {
  const answer = await get(path)
  if (answer.kind === 'absent') return undefined
  if (answer.kind === 'refused')
    throw new RetryableError('RegistryRefused', `the schema registry answers HTTP ${answer.status} to GET ${path}`)
  const { schema, schemaType, references } = (answer.json ?? {}) as Readonly<Record<string, unknown>>
  if (typeof schema !== 'string')
    throw new RetryableError('RegistryMisanswered', `the schema registry answers GET ${path} without a schema`)
  return { type: typeOf(schemaType), text: schema, references: referencesOf(references) }
}

function typeOf(schemaType: unknown): LoadedSchema['type'] {
  if (schemaType === undefined || schemaType === null || schemaType === 'AVRO') return 'AVRO'
  return schemaType === 'PROTOBUF' || schemaType === 'JSON' ? schemaType : 'OTHER'
}

function referencesOf(references: unknown): readonly Reference[] {
  if (!Array.isArray(references)) return []
  return (references as readonly unknown[]).map(each => {
    const { name, subject, version } = (each ?? {}) as { name?: unknown; subject?: unknown; version?: unknown }
    if (typeof subject !== 'string' || !Number.isSafeInteger(version))
      throw new RetryableError(
        'RegistryMisanswered',
        'the schema registry names a reference without subject or version'
      )
    return { name: typeof name === 'string' ? name : '', subject, version: version as number }
  })
}
