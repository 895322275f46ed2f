import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appendChange, type NewSnapshot } from '../../../../consumer/sinks/iceberg/commit.ts'
import { currentSnapshot } from '../../../../consumer/sinks/iceberg/metadata.ts'
import { nextState, readState } from '../../../../consumer/sinks/iceberg/offsets.ts'
import { parseMetadata } from '../../../../consumer/sinks/iceberg/parse-metadata.ts'
import { appendSummary } from '../../../../consumer/sinks/iceberg/summary.ts'
import { snapshotsToRemove } from '../../../../consumer/sinks/iceberg/thinning.ts'
import { stringifyJson } from '../../../../consumer/sinks/json.ts'
import { applyChange, newTable } from '../../../fakes/iceberg-metadata.ts'
import { UUID } from './lineage.ts'

const START = Date.UTC(2026, 10, 21, 12)

test('however many commits there are, metadata stays below 2 MB, with 64 partitions and with 4,096', () => {
  for (const [partitions, everyMs] of [
    [64, 1_000],
    [4_096, 10_000]
  ] as const) {
    const json = newTable(
      { schema: { type: 'struct', 'schema-id': 0, fields: [] } },
      { uuid: UUID, location: 's3://bucket/warehouse/bronze/trips', nowMs: START }
    )
    let largest = 0
    // Each commit as the sink makes it, from the metadata as it comes from the catalog.
    const commits = partitions > 1_000 ? 60 : 690
    for (let commit = 0; commit < commits; commit++) {
      // Some days of an hour each fill what stands for hours and days; then the last hour fills. More commits add nothing.
      const hours = Math.min(commit, commits / 3)
      const nowMs = START + hours * 3_600_000 + Math.max(0, commit - hours) * everyMs
      const metadata = parseMetadata(json, 't')
      const state = nextState(readState(metadata, 't').state, {
        ranges: new Map(
          Array.from({ length: partitions }, (_, partition) => [
            `trips.yellow:AbCdEfGhIjKlMnOpQrStUv:0:${partition}`,
            {
              id: `trips.yellow-${partition}` as const,
              expected: undefined,
              next: 1_000_000_000 + commit * 7_919 + partition
            }
          ])
        )
      })
      const parent = currentSnapshot(metadata)
      const author = {
        pipeline: 'lakehouse/taxi',
        createdAt: '2026-11-21T00:00:00Z',
        consumerId: 'taxi-5d9c7b8f6-abcde'
      }
      const summary = appendSummary({
        parent,
        manifests: [],
        state,
        commitIds: ['0123456789abcdef0123456789abcdef'],
        author
      })
      const id = BigInt(commit) * 0x7fff_ffff_ffffn + 0x7000_0000_0000_0000n
      const manifestList = `${metadata.location}/metadata/snap-${id}-0123456789abcdef0123456789abcdef.avro`
      const snapshot: NewSnapshot = { id, manifestList, summary, firstRowId: 0, addedRows: 0 }
      const remove = snapshotsToRemove(metadata, { nowMs, newSnapshotBytes: stringifyJson(summary).length + 500 })
      assert.ok(applyChange(json, appendChange({ metadata, snapshot, state, remove, nowMs }), nowMs))
      if (commit % 10 === 0) largest = Math.max(largest, stringifyJson(json).length)
    }
    assert.ok(largest < 2_000_000, `${partitions} partitions: ${largest} bytes`)
    assert.ok(json.snapshots.length <= 500)
    const { state } = readState(parseMetadata(json, 't'), 't')
    assert.equal(state.offsets.size, partitions)
  }
})
