import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput
} from '@aws-sdk/client-s3'
import type { S3Options } from '../../crds/s3-options.ts'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import { clientOptions, type S3Use } from './s3-client.ts'
import { Digests } from './s3-digests.ts'
import { encryptionFields, type EncryptionFields } from './s3-encryption.ts'
import { classify, isAbsent, statusOf } from './s3-errors.ts'
import { inParts, uploadParts } from './s3-upload.ts'

/** Whether the gateway keeps "only if absent" is tried on this object; no table's folder begins with an underscore. */
const PROBE = '_bronze/put-if-absent-probe'

/** Objects below a prefix of an S3 bucket, on AWS or a gateway that speaks its API and keeps `If-None-Match`. */
export class S3Store implements ObjectStore {
  readonly location: string
  readonly #bucket: string
  readonly #prefix: string
  readonly #client: S3Client
  /** Sends once: a repeated conditional PUT cannot tell its own first effect from another writer's. */
  readonly #once: S3Client
  readonly #use: S3Use
  readonly #encryption: EncryptionFields
  readonly #digests = new Digests()
  #probing: Promise<void> | undefined

  private constructor(
    bucket: string,
    prefix: string,
    use: S3Use,
    encryption: EncryptionFields,
    client: S3Client,
    once: S3Client
  ) {
    this.#bucket = bucket
    this.#use = use
    this.#encryption = encryption
    this.#prefix = prefix
    this.#client = client
    this.#once = once
    this.location = `s3://${bucket}/${prefix}`
  }

  /**
   * Reads the secrets; nothing is sent yet. The first write proves that the gateway refuses a second conditional PUT, so that
   * a server that is away at the start is trouble like any other, and who only reads needs no right to write.
   */
  static async open(
    bucket: string,
    prefix: string,
    options: S3Options,
    readSecret: ReadSecret,
    use: S3Use
  ): Promise<S3Store> {
    const configuration = await clientOptions(options, readSecret, use)
    return new S3Store(
      bucket,
      prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
      use,
      encryptionFields(options.encryption),
      new S3Client(configuration),
      new S3Client({ ...configuration, maxAttempts: 1 })
    )
  }

  async get(path: string): Promise<Buffer | undefined> {
    return await this.#read(path, undefined)
  }

  async getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    if (end <= start) return (await this.size(path)) === undefined ? undefined : Buffer.alloc(0)
    return await this.#read(path, `bytes=${start}-${end - 1}`)
  }

  async size(path: string): Promise<number | undefined> {
    return await this.#act(path, async () => {
      try {
        const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#at(path)))
        return ContentLength ?? 0
      } catch (error) {
        if (![400, 403, 404].includes(statusOf(error) ?? 0)) throw error
      }
      // An answer to HEAD has no words: by them the store's own is told from that of a proxy, and a wrong key from a missing right.
      return (await this.#read(path, undefined))?.length
    })
  }

  async put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    await this.#act(path, async () => {
      await this.#proved()
      const parts = inParts(chunks)
      const { value: first = Buffer.alloc(0) } = await parts.next()
      const { value: second } = await parts.next()
      const stored =
        second === undefined
          ? await this.#digests.with(first, async digest => {
              return await this.#client.send(new PutObjectCommand({ ...this.#to(path), ...digest, Body: first }))
            })
          : await uploadParts(this.#client, this.#at(path), this.#encryption, this.#digests, [first, second], parts)
      this.#isStored(path, stored)
    })
  }

  async putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return await this.#act(path, async () => {
      await this.#proved()
      return await this.#putOnce(path, Buffer.concat(chunks))
    })
  }

  /** S3 copies objects of up to 5 GiB so; no batch makes one as large (spec.batch.maxBytes). */
  async copy(from: string, to: string): Promise<boolean> {
    const CopySource = encodeURIComponent(`${this.#bucket}/${this.#prefix}${from}`).replaceAll('%2F', '/')
    const copied = await this.#orAbsent(to, async () => {
      await this.#proved()
      const { CopyObjectResult } = await this.#client.send(new CopyObjectCommand({ ...this.#to(to), CopySource }))
      this.#isStored(to, CopyObjectResult ?? {})
      return true
    })
    return copied ?? false
  }

  async *list(prefix: string, startAfter?: string, limit = Infinity): AsyncIterable<StoredObject> {
    let left = limit
    const after = startAfter === undefined ? {} : { StartAfter: this.#prefix + startAfter }
    for await (const { Contents = [] } of this.#pages(prefix, {
      ...after,
      ...(left < 1000 ? { MaxKeys: left } : {})
    })) {
      for (const { Key, Size, LastModified } of Contents) {
        if (Key === undefined) continue
        const modifiedMs = LastModified?.getTime() ?? 0
        yield { path: Key.slice(this.#prefix.length), sizeBytes: Size ?? 0, modifiedMs }
        if (--left <= 0) return
      }
    }
  }

  async folders(folder: string): Promise<readonly string[]> {
    const names: string[] = []
    for await (const { CommonPrefixes = [] } of this.#pages(folder, { Delimiter: '/' })) {
      for (const { Prefix } of CommonPrefixes) names.push(Prefix?.slice(this.#prefix.length + folder.length, -1) ?? '')
    }
    return names.filter(name => name !== '')
  }

  async delete(path: string): Promise<void> {
    await this.#orAbsent(path, async () => {
      await this.#proved()
      await this.#client.send(new DeleteObjectCommand(this.#at(path)))
    })
  }

  async close(): Promise<void> {
    this.#client.destroy()
    this.#once.destroy()
  }

  async *#pages(
    prefix: string,
    input: Pick<ListObjectsV2CommandInput, 'StartAfter' | 'MaxKeys' | 'Delimiter'>
  ): AsyncIterable<ListObjectsV2CommandOutput> {
    const where = { Bucket: this.#bucket, Prefix: this.#prefix + prefix }
    let token: string | undefined
    do {
      const next = token === undefined ? {} : { ContinuationToken: token }
      const command = new ListObjectsV2Command({ ...where, ...input, ...next })
      const page = await this.#act(prefix, async () => await this.#client.send(command))
      // Some page of a proxy's, in which there is no list, reads as an empty one.
      if (page.Name === undefined && page.KeyCount === undefined) throw misanswered(`${this.location}${prefix}`)
      yield page
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async #read(path: string, range: string | undefined): Promise<Buffer | undefined> {
    return await this.#orAbsent(path, async () => {
      try {
        const input = { ...this.#at(path), ...(range === undefined ? {} : { Range: range }) }
        const { Body, ContentLength, ETag } = await this.#client.send(new GetObjectCommand(input))
        if (ETag === undefined) throw misanswered(`${this.location}${path}`)
        const bytes = Buffer.from((await Body?.transformToByteArray()) ?? new Uint8Array(0))
        if (ContentLength !== undefined && bytes.length !== ContentLength) {
          throw new RetryableError(
            'S3Truncated',
            `${this.location}${path} came with ${bytes.length} of ${ContentLength} bytes`
          )
        }
        return bytes
      } catch (error) {
        if (statusOf(error) === 416) return Buffer.alloc(0)
        throw error
      }
    })
  }

  /** A store names the version that it has stored; a proxy that says 200 and stores nothing does not. */
  #isStored(path: string, { ETag }: { readonly ETag?: string | undefined }): void {
    if (ETag === undefined) throw misanswered(`${this.location}${path}`)
  }

  async #putOnce(path: string, body: Buffer): Promise<'created' | 'exists'> {
    try {
      const input = { ...this.#to(path), Body: body, IfNoneMatch: '*' }
      const stored = await this.#digests.with(body, async digest => {
        return await this.#once.send(new PutObjectCommand({ ...input, ...digest }))
      })
      this.#isStored(path, stored)
      return 'created'
    } catch (error) {
      if (statusOf(error) === 412) return 'exists'
      throw error
    }
  }

  async #probe(): Promise<void> {
    const body = Buffer.from('probe')
    if ((await this.#putOnce(PROBE, body)) === 'exists' || (await this.#putOnce(PROBE, body)) === 'exists') return
    throw new FatalError(
      'NoPutIfAbsent',
      `The S3 service behind ${this.location} ignores If-None-Match: it overwrote an object that it should have kept, so two ` +
        'consumers could overwrite each other’s commits. Use a service or version that supports conditional writes ' +
        `(${this.#use.field}.s3.endpoint).`
    )
  }

  /** Of a request that makes an object. */
  #to(path: string) {
    return { ...this.#at(path), ...this.#encryption }
  }

  #at(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + path }
  }

  async #orAbsent<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    return await this.#act(path, async () => {
      try {
        return await work()
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    })
  }

  /** Before anything is written for the first time. */
  async #proved(): Promise<void> {
    this.#probing ??= this.#use.isConditional ? this.#probe() : Promise.resolve()
    await this.#probing.catch((error: unknown) => {
      this.#probing = undefined
      throw error
    })
  }

  async #act<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw classify(error, `${this.location}${path}`, this.#use.field)
    }
  }
}

const misanswered = (where: string): RetryableError =>
  new RetryableError('S3Misanswered', `${where}: the answer is not that of an S3 service; is there a proxy before it?`)
