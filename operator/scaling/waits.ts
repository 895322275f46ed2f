import type { SettledPipeline } from '../../crds/settled.ts'

const LOOKS_IN_WINDOW = 4
const COMMITS_IN_WINDOW = 3

export const longestTriggerMs = ({ topics }: SettledPipeline): number =>
  Math.max(0, ...topics.map(({ batch }) => batch.triggerIntervalMs))

/** How long a commit that is due may wait for a warehouse, as the pipeline wants it. */
export const idleDelayMs = ({ sink }: SettledPipeline): number =>
  sink.kind === 'snowflake' && !sink.snowflake.flushWhenWarehouseIdle ? sink.snowflake.maxIdleDelayMs : 0

/** The longest that a record waits in peace, ms: the longest trigger interval, and for the warehouse where commits wait for it. */
export const longestWaitMs = (pipeline: SettledPipeline): number => longestTriggerMs(pipeline) + idleDelayMs(pipeline)

/** The time over which rates are taken, ms: several commits, since offsets move with them, and several looks. */
export function rateWindowMs(pipeline: SettledPipeline, lookIntervalMs: number): number {
  return Math.max(COMMITS_IN_WINDOW * longestWaitMs(pipeline), LOOKS_IN_WINDOW * lookIntervalMs)
}
