import type { CatalogAddresses } from './catalog.ts'
import type { S3Addresses } from './s3.ts'

/** What pyiceberg's `load_catalog(name, **properties)` has to know to reach a catalog and the store of its tables. */
export const pyicebergProperties = ({ uri }: Pick<CatalogAddresses, 'uri'>, s3: S3Addresses) => ({
  type: 'rest',
  uri,
  's3.endpoint': s3.endpoint,
  's3.region': s3.region,
  's3.access-key-id': s3.accessKeyId,
  's3.secret-access-key': s3.secretAccessKey,
  's3.force-virtual-addressing': 'false'
})
