import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { SecretDocument } from '../crds/documents.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { FatalError } from '../lib/errors.ts'
import { secretFolder, type ReadSecret } from '../lib/secrets.ts'
import { makeWorkFolder } from './work-folder.ts'

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const KEY = /^(?!\.\.?$|\.\.)[-._a-zA-Z0-9]{1,253}$/

/** Those that a pipeline may refer to: of its namespace, or of none. */
export function secretsOf({ metadata }: BronzePipeline, secrets: readonly SecretDocument[]): readonly SecretDocument[] {
  const namespace = metadata.namespace ?? 'default'
  return secrets.filter(secret => (secret.namespace ?? namespace) === namespace)
}

/**
 * Lays the Secrets out as a pod mounts them: `<folder>/<name>/<key>`, readable by nobody else. Those of `more`, a folder in
 * the same layout, are linked beside them; a document goes before a folder of the same name. Throws FatalError, which names
 * keys and never values, when a name or a key could lead out of the folder.
 */
export async function layOutSecrets(folder: string, secrets: readonly SecretDocument[], more?: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { name, data } of secrets) {
    if (!NAME.test(name)) throw bad(name, 'give it a name of lower-case letters, digits, - and .')
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
    for (const [key, value] of data) {
      if (!KEY.test(key)) throw bad(name, 'use keys of letters, digits, - _ and .')
      await writeFile(join(folder, name, key), value, { mode: 0o600 })
    }
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

/** Where the Secrets of pipelines come from. */
export interface SecretSources {
  readonly secrets: readonly SecretDocument[]
  /** The folder of `--secrets`. */
  readonly secretsFolder: string | undefined
  readonly cwd: string
  /** Reads what is in neither, of a pipeline's namespace. */
  readonly ofCluster?: (namespace: string) => ReadSecret
}

/** Does `work` with a reader of each pipeline's Secrets, and leaves none behind. */
export async function withSecrets<T>(
  pipelines: readonly BronzePipeline[],
  { secrets, secretsFolder, cwd, ofCluster }: SecretSources,
  work: (readers: readonly ReadSecret[]) => Promise<T>
): Promise<T> {
  const folder = await makeWorkFolder(tmpdir(), Date.now())
  try {
    const more = secretsFolder === undefined ? undefined : resolve(cwd, secretsFolder)
    const readers: ReadSecret[] = []
    for (const [index, pipeline] of pipelines.entries()) {
      const own = join(folder, String(index))
      await layOutSecrets(own, secretsOf(pipeline, secrets), more)
      const [here, there] = [secretFolder(own), ofCluster?.(pipeline.metadata.namespace ?? 'default')]
      readers.push(
        there === undefined ? here : async (name, key) => (await here(name, key)) ?? (await there(name, key))
      )
    }
    return await work(readers)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const bad = (name: string, remedy: string): FatalError =>
  new FatalError('InvalidSecret', `the Secret ${JSON.stringify(name.slice(0, 80))} cannot be used: ${remedy}`)
