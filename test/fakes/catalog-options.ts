import type { IcebergCatalog } from '../../crds/settled.ts'

/** How a pipeline names a catalog, settled: nothing but its address unless more is said. */
export const catalogAt = (uri: string, more: Partial<IcebergCatalog> = {}): IcebergCatalog => ({
  uri,
  warehouse: undefined,
  credentialsSecret: undefined,
  tokenEndpoint: undefined,
  scope: undefined,
  caSecret: undefined,
  ...more
})
