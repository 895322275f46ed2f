import { testSink } from '../../conformance/sink.ts'
import { need } from '../../servers/need.ts'
import { snowflakeHarness } from './harness.ts'

// Each way to write has a file of its own, so that they run beside one another.
testSink('Snowflake, bound rows', async () => await snowflakeHarness({}), need('snowflake'))
