import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from './errors.ts'

/** Reads one key of one Secret; undefined when it is not there. Read anew each time, so that a rotation is seen. */
export type ReadSecret = (name: string, key: string) => Promise<string | undefined>

/** Secrets as a pod mounts them: `<folder>/<name>/<key>`. A line break at the end, an editor's gift, is dropped. */
export function secretFolder(folder: string): ReadSecret {
  return async (name, key) => {
    if (!/^[a-z0-9][a-z0-9.-]{0,252}$/.test(name) || !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key.startsWith('..')) {
      throw new FatalError('BadSecretReference', `${name}/${key} is not the name of a Secret and its key`)
    }
    try {
      return (await readFile(join(folder, name, key), 'utf8')).replace(/\r?\n$/, '')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}
