import type { S3Options } from '../../../crds/s3-options.ts'
import { FatalError } from '../../../lib/errors.ts'
import { FileStore } from '../../store/file.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { ReadSecret } from '../../../lib/secrets.ts'
import { placeOf, s3Options, type S3Access, type VendedCredentials } from './access.ts'

const FIELD = 'spec.sink.iceberg'
/** Of a session whose end the catalog does not tell. The S3 client asks for new credentials five minutes before it. */
const UNTOLD_LIFE_MS = 10 * 60_000

/** How one table's files are reached, as the catalog says; asked again when its credentials end. */
export interface TableAccess {
  readonly now: S3Access
  renew(): Promise<S3Access>
}

/** Opens the store at a root (see `placeOf`). Whoever opens it closes it. */
export type OpenStore = (root: string, access: TableAccess) => Promise<ObjectStore>

/** Stores as a pipeline and its catalog describe them. */
export function storesOf(s3: S3Options | undefined, readSecret: ReadSecret): OpenStore {
  return async (root, access) => {
    const bucket = /^s3:\/\/(.+)$/.exec(root)?.[1]
    if (bucket === undefined) return new FileStore('/', FIELD)
    // Its client is much code, which who writes to a folder does not need.
    const { S3Store } = await import('../../store/s3.ts')
    const use = {
      field: FIELD,
      isConditional: false,
      // The pipeline's own Secret goes first.
      ...(s3?.credentialsSecret === undefined && access.now.credentials !== undefined
        ? { credentials: vended(access.now.credentials, access) }
        : {})
    }
    return await S3Store.open(bucket, '', s3Options(s3, access.now), readSecret, use)
  }
}

/** The first call gives what the table came with. */
function vended(first: VendedCredentials, access: TableAccess) {
  let next: VendedCredentials | undefined = first
  return async () => {
    const credentials = next ?? (await access.renew()).credentials
    next = undefined
    if (credentials === undefined)
      throw new FatalError(
        'CredentialsMissing',
        'The catalog no longer gives credentials for the table’s files. Let it do so, or name a Secret in ' +
          `${FIELD}.s3.credentialsSecretRef.`
      )
    const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = credentials
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(sessionToken === undefined && expiresAtMs === undefined
        ? {}
        : { expiration: new Date(expiresAtMs ?? Date.now() + UNTOLD_LIFE_MS) })
    }
  }
}

/** A table's files by their full URIs, in whatever buckets they lie. */
export class TableFiles {
  readonly #open: (root: string) => Promise<ObjectStore>
  readonly #stores = new Map<string, Promise<ObjectStore>>()

  constructor(open: (root: string) => Promise<ObjectStore>) {
    this.#open = open
  }

  async get(uri: string): Promise<Buffer | undefined> {
    const { store, path } = await this.#at(uri)
    return await store.get(path)
  }

  async exists(uri: string): Promise<boolean> {
    const { store, path } = await this.#at(uri)
    return (await store.size(path)) !== undefined
  }

  async put(uri: string, chunks: Iterable<Uint8Array>): Promise<void> {
    const { store, path } = await this.#at(uri)
    await store.put(path, chunks)
  }

  async delete(uri: string): Promise<void> {
    const { store, path } = await this.#at(uri)
    await store.delete(path)
  }

  async close(): Promise<void> {
    for (const opening of this.#stores.values()) await (await opening).close()
  }

  async #at(uri: string): Promise<{ readonly store: ObjectStore; readonly path: string }> {
    const { root, path } = placeOf(uri)
    let opening = this.#stores.get(root)
    if (opening === undefined) {
      opening = this.#open(root)
      this.#stores.set(root, opening)
      opening.catch(() => this.#stores.delete(root))
    }
    return { store: await opening, path }
  }
}
