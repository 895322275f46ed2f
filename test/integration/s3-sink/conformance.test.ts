import { openObjectStore } from '../../../consumer/store/open.ts'
import { testSink } from '../../conformance/sink.ts'
import { s3Harness, type S3Settings } from '../../fakes/s3-sink-harness.ts'
import { need } from '../../servers/need.ts'
import { s3Location } from '../delta/s3-location.ts'

const KINDS: Readonly<Record<string, S3Settings>> = {
  'objects on S3': { layout: 'Partitioned', format: 'Parquet' },
  'lines for globs on S3': { layout: 'Glob', format: 'Ndjson' }
}

for (const [name, settings] of Object.entries(KINDS)) {
  testSink(
    name,
    async () => {
      const { location, options, readSecret } = await s3Location()
      const store = await openObjectStore(location, options, readSecret)
      return s3Harness(store, { settings, close: async () => await store.close() })
    },
    need('s3')
  )
}
