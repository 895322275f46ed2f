import type { Metadata } from './actions.ts'

const DEFAULT_TOMBSTONE_RETENTION_MS = 7 * 86_400_000

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000
}

/** How long a checkpoint keeps tombstones (`delta.deletedFileRetentionDuration`); for ever when it is not understood. */
export function tombstoneRetentionMs({ configuration }: Metadata): number {
  const text = configuration?.['delta.deletedFileRetentionDuration']
  return text === undefined ? DEFAULT_TOMBSTONE_RETENTION_MS : (intervalMs(text) ?? Infinity)
}

/** Delta's intervals: `interval 1 week`, `INTERVAL 36 HOURS 30 minutes`. Months have no length here. */
export function intervalMs(text: string): number | undefined {
  const match = /^(?:interval\s+)?((?:\d+\s+[a-z]+\s*)+)$/.exec(text.trim().toLowerCase())
  if (match === null) return undefined
  let sum = 0
  for (const [, count, unit = ''] of (match[1] ?? '').matchAll(/(\d+)\s+([a-z]+)/g)) {
    const unitMs = UNIT_MS[unit.replace(/s$/, '')]
    if (unitMs === undefined) return undefined
    sum += Number(count) * unitMs
  }
  return sum
}

/**
 * Commits between two checkpoints. A checkpoint costs in proportion to the table's files, of which each commit adds about
 * one: 10 at first, 50 from version 1,000, 100 from 10,000 on, so that readers never replay more than 100 entries. Decided
 * by the version alone: whoever writes the version writes its checkpoint.
 */
export function checkpointInterval(version: number, { configuration }: Metadata): number {
  const configured = Number(configuration?.['delta.checkpointInterval'])
  if (Number.isSafeInteger(configured) && configured > 0) return configured
  return version < 1_000 ? 10 : version < 10_000 ? 50 : 100
}
