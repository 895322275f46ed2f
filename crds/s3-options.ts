/** Server-side encryption of the objects we write. */
export type S3Encryption =
  | { readonly kind: 'S3' }
  /** The account's own key when there is no id. */
  | { readonly kind: 'Kms'; readonly keyId: string | undefined }

export interface S3Options {
  readonly endpoint: string | undefined
  readonly region: string
  readonly forcePathStyle: boolean
  /** Keys `accessKeyId`, `secretAccessKey`, `sessionToken` (optional); without it the environment's own identity is used. */
  readonly credentialsSecret: string | undefined
  /** Key `ca.crt`. */
  readonly caSecret: string | undefined
  /** The bucket's own default when undefined. */
  readonly encryption?: S3Encryption | undefined
}
