import type { PipelineLag } from './lag.ts'

/**
 * How many partitions a pipeline has, as far as can be said. While a topic that it names is not to be seen (it is being made
 * anew, or we may not describe it) there are no fewer than before: consumers are not to be stopped by what is not known.
 */
export function partitionsOf(lag: PipelineLag | undefined, before: number | undefined): number | undefined {
  if (lag === undefined) return before
  const isWhole = lag.entries.every(({ missing }) => missing === undefined)
  return isWhole ? lag.partitions : Math.max(lag.partitions, before ?? 0)
}
