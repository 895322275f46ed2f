import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type S3Client
} from '@aws-sdk/client-s3'
import { FatalError } from '../../lib/errors.ts'
import type { Digests } from './s3-digests.ts'
import type { EncryptionFields } from './s3-encryption.ts'

/** Larger objects go up in parts of this size, one after the other. Some gateways ask that all parts but the last are alike. */
export const PART_BYTES = 8 * 2 ** 20
/** S3 takes no more: 78 GiB. No batch comes near. */
const MAX_PARTS = 10_000

export interface UploadTarget {
  readonly Bucket: string
  readonly Key: string
}

/**
 * An object in parts: it appears whole with the last request, or not at all. Gives what the service says of it; the error of a
 * request is thrown as it is.
 */
export async function uploadParts(
  client: S3Client,
  target: UploadTarget,
  encryption: EncryptionFields,
  digests: Digests,
  first: readonly Buffer[],
  rest: AsyncIterator<Buffer>
): Promise<{ readonly ETag?: string | undefined }> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ...encryption }))
  const parts: { ETag: string | undefined; PartNumber: number }[] = []
  const send = async (body: Buffer) => {
    const part = { ...target, UploadId, PartNumber: parts.length + 1, Body: body }
    if (part.PartNumber > MAX_PARTS) throw tooLarge(target)
    const { ETag } = await digests.with(body, async digest => {
      return await client.send(new UploadPartCommand({ ...part, ...digest }))
    })
    parts.push({ ETag, PartNumber: part.PartNumber })
  }
  try {
    for (const body of first) await send(body)
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) await send(next.value)
    const completed = { ...target, UploadId, MultipartUpload: { Parts: parts } }
    return await client.send(new CompleteMultipartUploadCommand(completed))
  } catch (error) {
    // Parts of an upload that never ends would be stored, and paid for, for ever. After an unknown end this is refused.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {})
    throw error
  }
}

const tooLarge = ({ Bucket, Key }: UploadTarget): FatalError =>
  new FatalError(
    'ObjectTooLarge',
    `s3://${Bucket}/${Key} would have more than ${MAX_PARTS} parts of ${PART_BYTES / 2 ** 20} MiB. Lower maxBytes or maxRecords in ` +
      'spec.batch, so that a commit holds less.'
  )

/** Gathers chunks into parts of equal size, the last one excepted. */
export async function* inParts(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): AsyncGenerator<Buffer, undefined> {
  let gathered: Uint8Array[] = []
  let size = 0
  for await (let chunk of chunks) {
    while (size + chunk.length >= PART_BYTES) {
      const taken = chunk.subarray(0, PART_BYTES - size)
      yield Buffer.concat([...gathered, taken])
      chunk = chunk.subarray(taken.length)
      gathered = []
      size = 0
    }
    if (chunk.length > 0) gathered.push(chunk)
    size += chunk.length
  }
  if (size > 0) yield Buffer.concat(gathered)
  return undefined
}
