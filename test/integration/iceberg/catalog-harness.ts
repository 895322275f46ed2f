import { randomUUID } from 'node:crypto'
import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import type { S3Options } from '../../../crds/s3-options.ts'
import type { IcebergCatalog } from '../../../crds/settled.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { SinkHarness } from '../../conformance/sink-context.ts'
import { catalogAt } from '../../fakes/catalog-options.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { startFacade, type CatalogFacade } from '../../servers/catalog-facade.ts'
import { temporaryCredentials } from '../../servers/s3.ts'

interface Client {
  readonly options: IcebergCatalog
  readonly secrets: Readonly<Record<string, string>>
  readonly s3: S3Options | undefined
}

async function harness({ options, secrets, s3 }: Client, more: IcebergHarnessOptions): Promise<SinkHarness> {
  const readSecret = async (_name: string, key: string) => secrets[key]
  const catalog = await openRestCatalog({
    catalog: options,
    readSecret,
    clock: systemClock,
    wantsCredentials: s3 === undefined
  })
  return icebergHarness(catalog, storesOf(s3, readSecret), {
    ...more,
    // Parts of namespaces are separated in paths, and names with a dash need quotes in many engines.
    namespace: `conformance.n${randomUUID().replaceAll('-', '')}`,
    close: async () => {
      await catalog.close()
      await more.close?.()
    }
  })
}

/** The catalog and the store as the pipeline says. */
export async function directHarness(more: IcebergHarnessOptions, s3Secret?: string): Promise<SinkHarness> {
  const { uri, s3 } = await sharedCatalog()
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const said = { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined }
  const secrets = { accessKeyId, secretAccessKey: s3Secret ?? secretAccessKey }
  return await harness({ options: catalogAt(uri), secrets, s3: said }, more)
}

/** A catalog with all that catalogs have: the store is known from it alone, and its credentials end. */
export async function vendingHarness(
  more: IcebergHarnessOptions & { readonly credentialsLastMs?: number } = {}
): Promise<SinkHarness & { readonly facade: CatalogFacade }> {
  const { uri: upstream, s3 } = await sharedCatalog()
  const facade = await startFacade({
    upstream,
    prefix: 'main|lake',
    warehouse: 'lake',
    oauth: { clientId: 'bronze', clientSecret: 'a secret', scope: 'lake' },
    vend: async () => {
      const given = await temporaryCredentials(s3)
      const lastMs = more.credentialsLastMs
      const config = {
        's3.access-key-id': given.accessKeyId,
        's3.secret-access-key': given.secretAccessKey,
        's3.session-token': given.sessionToken,
        's3.session-token-expires-at-ms': String(lastMs === undefined ? given.expiresAtMs : Date.now() + lastMs)
      }
      return { prefix: 's3://', config }
    },
    tableConfig: { 's3.endpoint': s3.endpoint, 's3.path-style-access': 'true', 'client.region': s3.region },
    hasTransactions: true
  })
  const options = catalogAt(facade.uri, { warehouse: 'lake', credentialsSecret: 'catalog', scope: 'lake' })
  const client = { options, secrets: { clientId: 'bronze', clientSecret: 'a secret' }, s3: undefined }
  return { ...(await harness(client, { ...more, isOneStep: true, close: facade.stop })), facade }
}
