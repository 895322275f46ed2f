import { createHash } from 'node:crypto'
import { nameOf } from './s3-errors.ts'

/** Of a request's body. */
export interface DigestFields {
  readonly ContentMD5?: string
}

const ASKS = /\bContent-MD5\b|\bx-amz-checksum\b/i

/**
 * Buckets with Object Lock take no body without its digest. The first refusal tells that this is one; others are spared the work, and
 * gateways a header that some have trouble with.
 */
export class Digests {
  #areWanted = false

  /** What `send` throws, but for a refusal for want of a digest: then it is called once more, with one. */
  async with<T>(body: Uint8Array, send: (digest: DigestFields) => Promise<T>): Promise<T> {
    if (!this.#areWanted) {
      try {
        return await send({})
      } catch (error) {
        if (!isAsking(error)) throw error
        this.#areWanted = true
      }
    }
    return await send({ ContentMD5: createHash('md5').update(body).digest('base64') })
  }
}

const isAsking = (error: unknown): boolean =>
  nameOf(error) === 'InvalidRequest' && ASKS.test(error instanceof Error ? error.message : '')
