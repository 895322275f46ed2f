import { randomUUID } from 'node:crypto'
import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import { systemClock } from '../../../lib/clock.ts'
import { testSink } from '../../conformance/sink.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { need } from '../../servers/need.ts'

async function harness(options: IcebergHarnessOptions) {
  const { uri, s3 } = await sharedCatalog()
  const secret: Readonly<Record<string, string>> = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey }
  const readSecret = async (_name: string, key: string) => secret[key]
  const catalog = await openRestCatalog({
    catalog: {
      uri,
      warehouse: undefined,
      credentialsSecret: undefined,
      tokenEndpoint: undefined,
      scope: undefined,
      caSecret: undefined
    },
    readSecret,
    clock: systemClock
  })
  const { endpoint, region } = s3
  const access = { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined }
  return icebergHarness(catalog, storesOf(access, readSecret), {
    ...options,
    // Parts of namespaces are separated in paths, and names with a dash need quotes in many engines.
    namespace: `conformance.n${randomUUID().replaceAll('-', '')}`,
    close: async () => await catalog.close()
  })
}

const servers = need('catalog', 's3')

testSink('Iceberg v2 in a catalog', async () => await harness({}), servers)

testSink('Iceberg v3 in a catalog', async () => await harness({ formatVersion: 3, partitionBy: '[]' }), servers)
