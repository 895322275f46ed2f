import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FatalError } from '../lib/errors.ts'

/** The values of a `kind: Secret` document, decoded. Never to be printed. */
export interface SecretDocument {
  readonly name: string
  readonly namespace: string
  readonly values: ReadonlyMap<string, Buffer>
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const KEY = /^(?!\.\.?$|\.\.)[-._a-zA-Z0-9]{1,253}$/
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/

/**
 * Undefined when the document is no Secret. Throws FatalError, which names keys and never values, when it is a bad one:
 * names and keys become paths.
 */
export function readSecret(document: unknown, place: string): SecretDocument | undefined {
  if (!isRecord(document) || document['kind'] !== 'Secret' || document['apiVersion'] !== 'v1') return undefined
  const metadata = isRecord(document['metadata']) ? document['metadata'] : {}
  const { name, namespace = 'default' } = metadata
  if (typeof name !== 'string' || !NAME.test(name)) throw bad(place, 'metadata.name', 'give the Secret a valid name')
  if (typeof namespace !== 'string') throw bad(place, 'metadata.namespace', 'make it a string')
  const values = new Map<string, Buffer>()
  for (const [key, value] of entries(document, 'data', place)) {
    if (!BASE64.test(value)) throw bad(place, `data.${key}`, 'encode the value as base64, or move it to stringData')
    values.set(key, Buffer.from(value, 'base64'))
  }
  for (const [key, value] of entries(document, 'stringData', place)) values.set(key, Buffer.from(value))
  return { name, namespace, values }
}

function entries(document: Record<string, unknown>, field: string, place: string): [string, string][] {
  const map = document[field] ?? {}
  if (!isRecord(map)) throw bad(place, field, 'make it a map of keys and values')
  return Object.entries(map).map(([key, value]) => {
    if (!KEY.test(key)) throw bad(place, field, 'use keys of letters, digits, - _ and .')
    if (typeof value !== 'string') throw bad(place, `${field}.${key}`, 'quote the value: it must be a string')
    return [key, value]
  })
}

/**
 * Lays the Secrets out as a pod mounts them: `<folder>/<name>/<key>`, readable by nobody else. Those of `more`, a folder in
 * the same layout, are linked beside them; a document goes before a folder of the same name.
 */
export async function layOutSecrets(folder: string, secrets: readonly SecretDocument[], more?: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { name, values } of secrets) {
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
    for (const [key, value] of values) await writeFile(join(folder, name, key), value, { mode: 0o600 })
  }
  if (more === undefined) return
  const names = await readdir(more).catch((error: unknown) => {
    throw new FatalError(
      'SecretsUnreadable',
      `--secrets ${more} cannot be read: name a folder that holds <name>/<key>`,
      {
        cause: error
      }
    )
  })
  const written = new Set(secrets.map(({ name }) => name))
  for (const name of names) {
    if (!written.has(name)) await symlink(resolve(more, name), join(folder, name), 'junction')
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bad = (place: string, field: string, remedy: string): FatalError =>
  new FatalError('InvalidSecret', `${place}: ${field} of the Secret is wrong: ${remedy}`)
