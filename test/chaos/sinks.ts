import { startDelta } from './delta.ts'
import { startIceberg, startIcebergTransactions } from './iceberg.ts'
import type { ChaosSink } from './sink.ts'

/** The sinks that there are, by the name that `--sink` takes. */
export const sinks: Readonly<Record<string, () => Promise<ChaosSink>>> = {
  delta: startDelta,
  iceberg: startIceberg,
  'iceberg-transactions': startIcebergTransactions
}
