import { testSink } from '../../conformance/sink.ts'
import { need } from '../../servers/need.ts'
import { snowflakeHarness } from './harness.ts'

const server = need('snowflake')

testSink('Snowflake, bound rows', async () => await snowflakeHarness({}), server)

testSink('Snowflake, staged files', async () => await snowflakeHarness({ limits: { inlineBytes: 0 } }), server)

testSink('Snowflake, merged', async () => await snowflakeHarness({ mode: 'Merge' }), server)
