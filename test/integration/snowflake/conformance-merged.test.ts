import { testSink } from '../../conformance/sink.ts'
import { need } from '../../servers/need.ts'
import { snowflakeHarness } from './harness.ts'

testSink('Snowflake, merged', async () => await snowflakeHarness({ mode: 'Merge' }), need('snowflake'))
