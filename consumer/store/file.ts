import { randomBytes } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** Names of files that are being written; no listing shows them, no reader takes them for data. */
const TEMPORARY_PREFIX = '.tmp-'

/** Objects as files under a folder. Needs a file system with hard links: that is how "only if absent" becomes atomic. */
export class FileStore implements ObjectStore {
  readonly location: string
  readonly #root: string
  readonly #field: string

  /** `field` is the sink's, for errors. */
  constructor(root: string, field = 'spec.sink.delta') {
    this.#root = resolve(root)
    this.#field = field
    this.location = pathToFileURL(this.#root).href
  }

  async get(path: string): Promise<Buffer | undefined> {
    return await this.#reading(path, async file => await file.readFile())
  }

  async getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return await this.#reading(path, async file => {
      const bytes = Buffer.alloc(Math.max(0, end - start))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    })
  }

  async size(path: string): Promise<number | undefined> {
    return await this.#reading(path, async file => (await file.stat()).size)
  }

  async put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    await this.#act(path, async target => {
      const temporary = await writeTemporary(target, chunks)
      await rename(temporary, target).catch(async (error: unknown) => await discard(temporary, error))
      await syncFolder(dirname(target))
    })
  }

  /** The file is whole and durable before it gets its name; `link` refuses a name that is taken, `rename` would not. */
  async putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return await this.#act(path, async target => {
      const temporary = await writeTemporary(target, chunks)
      try {
        await link(temporary, target)
        await syncFolder(dirname(target))
        return 'created'
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return 'exists'
        throw error
      } finally {
        await unlink(temporary).catch(() => {})
      }
    })
  }

  /** Both names stand for one file, which no writer ever changes. */
  async copy(from: string, to: string): Promise<boolean> {
    return await this.#act(to, async target => {
      await makeFolder(dirname(target))
      const temporary = temporaryBeside(target)
      try {
        await link(join(this.#root, from), temporary)
        await rename(temporary, target)
        await syncFolder(dirname(target))
        return true
      } catch (error) {
        if (isAbsent(error)) return false
        throw error
      } finally {
        // A rename to another name of the same file does nothing.
        await unlink(temporary).catch(() => {})
      }
    })
  }

  async *list(prefix: string, startAfter = '', limit = Infinity): AsyncIterable<StoredObject> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const paths = await this.#act(prefix, async () => await walk(this.#root, folder, prefix))
    paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    let left = limit
    for (const path of paths) {
      if (left <= 0) return
      if (Buffer.compare(Buffer.from(path), Buffer.from(startAfter)) <= 0) continue
      const found = await this.#reading(path, async file => await file.stat())
      if (found === undefined) continue
      left--
      yield { path, sizeBytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
    }
  }

  /** Folders that are empty are told too when a delete has left them: nobody is harmed by looking there. */
  async folders(folder: string): Promise<readonly string[]> {
    return await this.#act(folder, async target => {
      const entries = await readdir(target, { withFileTypes: true }).catch((error: unknown) => {
        if (isAbsent(error)) return []
        throw error
      })
      return entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
    })
  }

  async delete(path: string): Promise<void> {
    await this.#act(path, async target => {
      await unlink(target).catch((error: unknown) => {
        if (!isAbsent(error)) throw error
      })
    })
  }

  async close(): Promise<void> {}

  async #reading<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    return await this.#act(path, async target => {
      let file: FileHandle
      try {
        file = await open(target, 'r')
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
      try {
        return await read(file)
      } finally {
        await file.close()
      }
    })
  }

  async #act<T>(path: string, work: (target: string) => Promise<T>): Promise<T> {
    try {
      return await work(join(this.#root, path))
    } catch (error) {
      throw classify(error, `${this.location}/${path}`, this.#field)
    }
  }
}

/** Writes next to the target, so that link and rename stay within one file system, and makes it durable. */
async function writeTemporary(
  target: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<string> {
  const folder = dirname(target)
  await makeFolder(folder)
  const temporary = temporaryBeside(target)
  const file = await open(temporary, 'wx')
  try {
    for await (const chunk of chunks) await file.writeFile(chunk)
    await file.sync()
  } catch (error) {
    await file.close()
    return await discard(temporary, error)
  }
  await file.close()
  return temporary
}

const temporaryBeside = (target: string): string =>
  join(dirname(target), `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}`)

async function discard(temporary: string, error: unknown): Promise<never> {
  await unlink(temporary).catch(() => {})
  throw error
}

/**
 * With those above it. A new folder is durable only when the folder that names it is. Not by mkdir's own recursion, which takes a
 * file system that is read-only for a folder that is missing, and does not end where none can be made.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await makeOne(folder)
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw error
  }
  await syncFolder(dirname(folder))
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; its file system journals names by itself.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Walks only the folders that can hold the prefix. */
async function walk(root: string, folder: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return []
    throw error
  })
  const paths: string[] = []
  for (const entry of entries) {
    const path = `${folder}${entry.name}`
    const isWanted = path.startsWith(prefix) || prefix.startsWith(`${path}/`)
    if (!isWanted || entry.name.startsWith(TEMPORARY_PREFIX)) continue
    if (entry.isDirectory()) paths.push(...(await walk(root, `${path}/`, prefix)))
    else if (entry.isFile()) paths.push(path)
  }
  return paths
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

function classify(error: unknown, path: string, field: string): unknown {
  const code = codeOf(error)
  if (['EACCES', 'EPERM', 'EEXIST', 'EROFS', 'ENAMETOOLONG', 'EXDEV', 'ENOTSUP', 'EISDIR', 'ENOTDIR'].includes(code)) {
    const remedy = `Give the consumer write access to ${field}.location, on a file system that has hard links.`
    return new FatalError('StoreUnusable', `${path}: ${errorText(error)}. ${remedy}`, { cause: error })
  }
  if (code === '' || code.startsWith('ERR_')) return error
  return new RetryableError('FileSystemTrouble', `${path}: ${errorText(error)}`, { cause: error })
}
