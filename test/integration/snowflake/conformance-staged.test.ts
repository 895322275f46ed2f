import { testSink } from '../../conformance/sink.ts'
import { need } from '../../servers/need.ts'
import { snowflakeHarness } from './harness.ts'

testSink(
  'Snowflake, staged files',
  async () => await snowflakeHarness({ limits: { inlineBytes: 0 } }),
  need('snowflake')
)
