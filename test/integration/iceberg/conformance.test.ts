import { testSink } from '../../conformance/sink.ts'
import { need } from '../../servers/need.ts'
import { directHarness, vendingHarness } from './catalog-harness.ts'

const servers = need('catalog', 's3')

testSink('Iceberg v2 in a catalog', async () => await directHarness({}), servers)

testSink('Iceberg v3 in a catalog', async () => await directHarness({ formatVersion: 3, partitionBy: '[]' }), servers)

testSink('Iceberg in a catalog that vends, both tables in one step', async () => await vendingHarness(), servers)
