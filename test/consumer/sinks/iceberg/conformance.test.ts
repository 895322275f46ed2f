import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../../../consumer/store/file.ts'
import { testSink } from '../../../conformance/sink.ts'
import { MemoryCatalog } from '../../../fakes/iceberg-catalog.ts'
import { icebergHarness } from '../../../fakes/iceberg-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

testSink('Iceberg in memory', async () => {
  const store = new MemoryStore()
  return icebergHarness(new MemoryCatalog(), async () => store)
})

testSink('Iceberg in memory, both tables in one step', async () => {
  const store = new MemoryStore()
  const catalog = new MemoryCatalog({ hasTransactions: true })
  return icebergHarness(catalog, async () => store, { formatVersion: 3, partitionBy: '[]', isOneStep: true })
})

testSink('Iceberg in files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-iceberg-'))
  return icebergHarness(new MemoryCatalog({ warehouse: `file://${folder}` }), async () => new FileStore('/'), {
    partitionBy: '[{source: Topic, transform: Identity}, {source: IngestedAt, transform: Hour}]',
    close: async () => await rm(folder, { recursive: true })
  })
})
