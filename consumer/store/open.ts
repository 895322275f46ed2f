import { fileURLToPath } from 'node:url'
import type { S3Options } from '../../crds/s3-options.ts'
import { FatalError } from '../../lib/errors.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { FileStore } from './file.ts'
import type { ObjectStore } from './object-store.ts'

const DEFAULT_S3: S3Options = {
  endpoint: undefined,
  region: 'us-east-1',
  forcePathStyle: false,
  credentialsSecret: undefined,
  caSecret: undefined
}

/**
 * The store at `s3://bucket/prefix` or `file:///path`. `field` is the sink's, for errors. FatalError when it can never hold
 * tables.
 */
export async function openObjectStore(
  location: string,
  s3: S3Options | undefined,
  readSecret: ReadSecret,
  field = 'spec.sink.delta'
): Promise<ObjectStore> {
  const bucket = /^s3:\/\/([^/]+)\/?(.*)$/.exec(location)
  if (bucket !== null) {
    const [, name = '', prefix = ''] = bucket
    // Its client is much code, which who writes to a folder does not need.
    const { S3Store } = await import('./s3.ts')
    return await S3Store.open(name, prefix, s3 ?? DEFAULT_S3, readSecret, { field, isConditional: true })
  }
  if (location.startsWith('file:///')) return new FileStore(fileURLToPath(location), field)
  throw new FatalError(
    'InvalidLocation',
    `${field}.location ${location} is neither s3://bucket/prefix nor file:///path.`
  )
}
