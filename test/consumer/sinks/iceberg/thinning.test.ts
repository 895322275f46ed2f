import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Snapshot, TableMetadata } from '../../../../consumer/sinks/iceberg/metadata.ts'
import { EMPTY_STATE, formatState } from '../../../../consumer/sinks/iceberg/state.ts'
import { snapshotsToRemove } from '../../../../consumer/sinks/iceberg/thinning.ts'
import { Lineage } from './lineage.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 10, 21, 12, 30)

interface Told {
  readonly ageMs: number
  readonly by?: 'others'
  readonly isOffMain?: boolean
}

const snapshot = (id: number, timestampMs: number, summary: Readonly<Record<string, string>>): Snapshot => ({
  id: BigInt(id),
  parentId: undefined,
  sequenceNumber: id,
  timestampMs,
  manifestList: '',
  schemaId: 0,
  summary,
  jsonBytes: 1_000
})

const mainAt = (snapshotId: bigint | undefined): TableMetadata['refs'] =>
  new Map(snapshotId === undefined ? [] : [['main', { snapshotId, type: 'branch', retention: {} }]])

/** Snapshots told oldest first; ids count from 1. */
function table(told: readonly Told[], overrides: Partial<TableMetadata> = {}): TableMetadata {
  let parentId: bigint | undefined
  const snapshots = told.map(({ ageMs, by, isOffMain }, index): Snapshot => {
    const summary = by === undefined ? formatState(EMPTY_STATE) : {}
    const each = { ...snapshot(index + 1, NOW - ageMs, summary), parentId }
    if (isOffMain !== true) parentId = each.id
    return each
  })
  return { ...new Lineage().metadata, snapshots, refs: mainAt(parentId), ...overrides }
}

const removed = (metadata: TableMetadata) =>
  snapshotsToRemove(metadata, { nowMs: NOW, newSnapshotBytes: 1_000 }).map(Number)
const times = (count: number, of: (index: number) => Told): readonly Told[] =>
  Array.from({ length: count }, (_, index) => of(index))
const tag = (id: number) => ({ snapshotId: BigInt(id), type: 'tag', retention: {} }) as const

test('all of the last hour stay, then the newest of each hour, then of each day, then none', () => {
  const ages = [
    31 * DAY,
    30 * DAY - 1,
    5 * DAY + HOUR,
    5 * DAY,
    DAY + 2 * HOUR + 60_000,
    DAY + 2 * HOUR,
    HOUR + 7 * 60_000,
    HOUR + 6 * 60_000,
    HOUR + 5 * 60_000,
    60_000,
    0
  ]
  assert.deepEqual(removed(table(ages.map(ageMs => ({ ageMs })))), [1, 3, 5, 7, 8])
})

test('with a commit each ten seconds what is left after a month has a fixed size, and the head is never removed', () => {
  let kept: readonly Told[] = []
  let removals = 0
  for (let commit = 0; commit < 3 * 8_640; commit++) {
    kept = [...kept.map(each => ({ ...each, ageMs: each.ageMs + 10_000 })), { ageMs: 0 }]
    if (commit % 360 !== 0) continue
    const gone = new Set(removed(table(kept)))
    removals += gone.size
    assert.ok(!gone.has(kept.length))
    kept = kept.filter((_, index) => !gone.has(index + 1))
  }
  assert.ok(kept.length < 500 + 390, `${kept.length}`)
  assert.ok(removals > 20_000)
})

test('hours and days are thinned behind snapshots that are gone, whose children still name them as parents', () => {
  let kept: readonly Snapshot[] = []
  const hours = 40 * 24
  for (let commit = 0; commit < hours * 2; commit++) {
    const metadata = table([{ ageMs: 0 }], { snapshots: kept, refs: mainAt(kept.at(-1)?.id) })
    const nowMs = NOW + (commit * HOUR) / 2
    const gone = new Set(snapshotsToRemove(metadata, { nowMs, newSnapshotBytes: 1_000 }))
    const by = commit % 100 === 50 ? {} : formatState(EMPTY_STATE)
    const next = { ...snapshot(commit + 1, nowMs, by), parentId: kept.at(-1)?.id }
    kept = [...kept.filter(({ id }) => !gone.has(id)), next]
  }
  const ages = kept.map(({ timestampMs }) => NOW + hours * HOUR - timestampMs)
  assert.ok(kept.length <= 4 + 49 + 31 + 2 * 15, `${kept.length} are left`)
  assert.ok(ages.filter(age => age > 5 * DAY && age < 25 * DAY).length >= 20, 'each day has one')
  assert.ok(Math.max(...ages) <= 30 * DAY + HOUR)
})

test('beyond 500 the oldest of the last hour go first: what stands for an hour or a day stays', () => {
  const daily = times(20, index => ({ ageMs: (25 - index) * DAY }))
  const recent = times(600, index => ({ ageMs: (600 - index) * 1_000 }))
  const gone = removed(table([...daily, ...recent]))
  // One is about to be added.
  assert.deepEqual(
    gone,
    Array.from({ length: 121 }, (_, index) => 21 + index)
  )
})

test('large summaries leave room for fewer, but never for less than ten', () => {
  const sized = (jsonBytes: number) => {
    const metadata = table(times(300, index => ({ ageMs: (300 - index) * 1_000 })))
    const snapshots = metadata.snapshots.map(each => ({ ...each, jsonBytes }))
    return 300 - removed({ ...metadata, snapshots }).length
  }
  assert.equal(sized(1_000), 300)
  assert.equal(sized(10_000), 149)
  assert.equal(sized(1_000_000), 9)
})

test('what others wrote stays thirty days, as does what has statistics', () => {
  const ages = [31 * DAY, 29 * DAY + 2, 29 * DAY + 1, 29 * DAY]
  assert.deepEqual(removed(table([...ages.map(ageMs => ({ ageMs, by: 'others' as const })), { ageMs: 0 }])), [1])
  assert.deepEqual(removed(table([...ages, 0].map(ageMs => ({ ageMs })))), [1, 2, 3])
  const withStatistics = new Set([2n])
  assert.deepEqual(
    removed(
      table(
        [...ages, 0].map(ageMs => ({ ageMs })),
        { withStatistics }
      )
    ),
    [1, 3]
  )
})

test('what another ref reaches stays at any age, and so do its ancestors on that branch', () => {
  const told = times(6, index => ({ ageMs: (60 - index) * DAY }))
  const metadata = table([...told, { ageMs: 0 }])
  assert.deepEqual(removed(metadata), [1, 2, 3, 4, 5, 6])
  const refs = new Map([...metadata.refs, ['keep', tag(3)] as const])
  assert.deepEqual(removed({ ...metadata, refs }), [4, 5, 6])
})

test('what others staged beside main stays; commits of ours that were rolled back go after thirty days', () => {
  const old = 40 * DAY
  const told: readonly Told[] = [
    { ageMs: 1 },
    { ageMs: old, isOffMain: true, by: 'others' },
    { ageMs: old, isOffMain: true },
    { ageMs: 20 * DAY, isOffMain: true },
    { ageMs: 0 }
  ]
  assert.deepEqual(removed(table(told)), [3])
})

test('a table that forbids the removal of files keeps all, and its least number of snapshots is kept', () => {
  const told = times(30, index => ({ ageMs: (30 - index) * 1_000 }))
  const huge = (properties: Readonly<Record<string, string>>) => {
    const metadata = table(told, { properties })
    return removed({ ...metadata, snapshots: metadata.snapshots.map(each => ({ ...each, jsonBytes: 1_000_000 })) })
      .length
  }
  assert.equal(huge({}), 21)
  assert.equal(huge({ 'history.expire.min-snapshots-to-keep': '20' }), 11)
  assert.equal(huge({ 'gc.enabled': 'false' }), 0)
})
