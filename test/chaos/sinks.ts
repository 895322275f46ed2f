import { startDelta } from './delta.ts'
import { startIceberg, startIcebergTransactions } from './iceberg.ts'
import { startGlobs, startObjects } from './s3.ts'
import type { ChaosSink } from './sink.ts'
import { startSnowflakeMerge, startSnowflakeTransactions } from './snowflake.ts'

/** The sinks that there are, by the name that `--sink` takes. */
export const sinks: Readonly<Record<string, () => Promise<ChaosSink>>> = {
  delta: startDelta,
  iceberg: startIceberg,
  'iceberg-transactions': startIcebergTransactions,
  s3: startObjects,
  's3-glob': startGlobs,
  snowflake: startSnowflakeTransactions,
  'snowflake-merge': startSnowflakeMerge
}
