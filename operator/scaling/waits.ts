import type { SettledPipeline } from '../../crds/settled.ts'

const LOOKS_IN_WINDOW = 4
const COMMITS_IN_WINDOW = 3

/** The longest that a record waits in peace, ms: the longest trigger interval, and for the warehouse where commits wait for it. */
export function longestWaitMs({ topics, sink }: SettledPipeline): number {
  const triggerMs = Math.max(0, ...topics.map(({ batch }) => batch.triggerIntervalMs))
  const waitsForWarehouse = sink.kind === 'snowflake' && !sink.snowflake.flushWhenWarehouseIdle
  return triggerMs + (waitsForWarehouse ? sink.snowflake.maxIdleDelayMs : 0)
}

/** The time over which rates are taken, ms: several commits, since offsets move with them, and several looks. */
export function rateWindowMs(pipeline: SettledPipeline, lookIntervalMs: number): number {
  return Math.max(COMMITS_IN_WINDOW * longestWaitMs(pipeline), LOOKS_IN_WINDOW * lookIntervalMs)
}
