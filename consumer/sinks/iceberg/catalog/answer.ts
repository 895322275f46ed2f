import { RetryableError } from '../../../../lib/errors.ts'
import { parseJson } from '../../json.ts'
import type { LoadedTable } from './catalog.ts'

/** The JSON of an answer; undefined when it has none. */
export function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** An answer 2xx that cannot be read is some proxy's; what was asked for may have been done. */
export const unreadable = (what: string): RetryableError =>
  new RetryableError('CatalogAnswerUnreadable', `${what}: the answer is not what the REST protocol says`)

/** A `LoadTableResult`; `properties` are the catalog's own, below the table's. */
export function loadedTable(json: unknown, properties: Readonly<Record<string, string>>): LoadedTable {
  const credentials = fieldOf(json, 'storage-credentials')
  return {
    metadata: objectAt(json, 'metadata'),
    config: { ...properties, ...stringsOf(fieldOf(json, 'config')) },
    storageCredentials: (Array.isArray(credentials) ? credentials : []).map(each => ({
      prefix: textAt(each, 'prefix') ?? '',
      config: stringsOf(fieldOf(each, 'config'))
    }))
  }
}

/** Throws when there is no object or list of that name. */
export function objectAt(json: unknown, name: string): unknown {
  const value = fieldOf(json, name)
  if (typeof value !== 'object' || value === null) throw unreadable(name)
  return value
}

export function textAt(json: unknown, name: string): string | undefined {
  const value = fieldOf(json, name)
  return typeof value === 'string' ? value : undefined
}

export const fieldOf = (json: unknown, name: string): unknown => (isObject(json) ? json[name] : undefined)

/** What is a string among the fields. */
export function stringsOf(json: unknown): Readonly<Record<string, string>> {
  if (!isObject(json)) return {}
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, each]) => (typeof each === 'string' ? [[key, each]] : []))
  )
}

const isObject = (json: unknown): json is Record<string, unknown> => typeof json === 'object' && json !== null
