import { openObjectStore } from '../../../consumer/store/open.ts'
import { testSink } from '../../conformance/sink.ts'
import { deltaHarness } from '../../fakes/delta-harness.ts'
import { need } from '../../servers/need.ts'
import { s3Location } from './s3-location.ts'

testSink(
  'Delta on S3',
  async () => {
    const { location, options, readSecret } = await s3Location()
    const store = await openObjectStore(location, options, readSecret)
    return deltaHarness(store, { close: async () => await store.close() })
  },
  need('s3')
)
