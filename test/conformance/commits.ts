import type { TablePlan } from '../../consumer/columns/bronze.ts'
import type { CommitOutcome, Sink } from '../../consumer/sink.ts'
import { batchOf, type PartOptions } from './batches.ts'

interface Planned {
  readonly plan: TablePlan
}

const HOUR_MS = 3_600_000

/** One batch, staged and committed. */
export async function commit(
  sink: Sink,
  { plan }: Planned,
  parts: readonly PartOptions[],
  takenAtMs?: number
): Promise<CommitOutcome> {
  return await sink.commit([await sink.stage(batchOf(plan, parts, takenAtMs))])
}

/** So many rows of each of two partitions, taken so many hours after `startMs`; a dead letter in each in every fifth hour. */
export async function commitHour(
  sink: Sink,
  planned: Planned,
  hour: number,
  { rows, startMs }: { readonly rows: number; readonly startMs: number }
): Promise<void> {
  const from = hour * rows
  const bad = hour % 5 === 0 ? [from + 3] : []
  const expected = hour === 0 ? undefined : from
  const parts = [0, 1].map(partition => ({ partition, from, to: from + rows, expected, bad }))
  const { status } = await commit(sink, planned, parts, startMs + hour * HOUR_MS)
  if (status !== 'committed') throw new Error(`the commit of hour ${hour} was ${status}`)
}
