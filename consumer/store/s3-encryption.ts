import type { S3Encryption } from '../../crds/s3-options.ts'

/** What a request that makes an object says about its encryption; nothing where the bucket decides. */
export interface EncryptionFields {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms'
  readonly SSEKMSKeyId?: string
}

export function encryptionFields(encryption: S3Encryption | undefined): EncryptionFields {
  switch (encryption?.kind) {
    case undefined:
      return {}
    case 'S3':
      return { ServerSideEncryption: 'AES256' }
    case 'Kms':
      return {
        ServerSideEncryption: 'aws:kms',
        ...(encryption.keyId === undefined ? {} : { SSEKMSKeyId: encryption.keyId })
      }
  }
}
