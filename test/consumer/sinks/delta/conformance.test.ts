import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../../../consumer/store/file.ts'
import { testSink } from '../../../conformance/sink.ts'
import { deltaHarness } from '../../../fakes/delta-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

testSink('Delta in memory', async () => deltaHarness(new MemoryStore()))

testSink('Delta in files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-delta-'))
  return deltaHarness(new FileStore(folder), {
    partitionBy: 'Hour',
    close: async () => await rm(folder, { recursive: true })
  })
})
