import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { S3Options } from '../../../crds/s3-options.ts'
import { sharedS3, storageOptions } from '../../servers/s3.ts'

const BUCKET = 'bronze-delta'

/** A place of its own on the S3 server of the test run, as a pipeline names it. */
export async function s3Location() {
  const s3 = await sharedS3()
  const { endpoint, region, accessKeyId, secretAccessKey, createBucket } = s3
  await soon(async () => await createBucket(BUCKET))
  const options: S3Options = { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined }
  const secret: Readonly<Record<string, string>> = { accessKeyId, secretAccessKey }
  return {
    location: `s3://${BUCKET}/${randomUUID()}`,
    options,
    readSecret: async (_name: string, key: string) => secret[key],
    /** What `deltalake` wants to know. */
    storageOptions: { ...storageOptions(s3), aws_conditional_put: 'etag' }
  }
}

/** MinIO says that it is ready a moment before it takes requests. */
async function soon(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 50 || !String(error).includes('503')) throw error
      await setTimeout(100)
    }
  }
}
