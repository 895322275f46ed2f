import { testSink } from '../../../conformance/sink.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { s3Harness } from '../../../fakes/s3-sink-harness.ts'

testSink('S3 in memory, partitioned', async () => s3Harness(new MemoryStore()))
testSink('S3 in memory, for globs', async () => s3Harness(new MemoryStore(), { settings: { layout: 'Glob' } }))
testSink('S3 in memory, lines', async () =>
  s3Harness(new MemoryStore(), { settings: { format: 'Ndjson', compression: 'Gzip', path: 'p={partition}/{HH}' } })
)
testSink('S3 in memory, lines for globs', async () =>
  s3Harness(new MemoryStore(), { settings: { format: 'Ndjson', layout: 'Glob', path: '' } })
)
