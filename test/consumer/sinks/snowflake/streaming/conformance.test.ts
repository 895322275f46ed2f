import { testSink } from '../../../../conformance/sink.ts'
import { streamingHarness } from '../../../../fakes/snowpipe-harness.ts'

testSink('Snowpipe Streaming', async () => await streamingHarness())

testSink('Snowpipe Streaming, rows in the table after a while', async () => await streamingHarness({ commitLag: 3 }))
