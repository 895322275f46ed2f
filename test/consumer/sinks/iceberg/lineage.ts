import { formatProperty, formatState, EMPTY_STATE, type TableState } from '../../../../consumer/sinks/iceberg/state.ts'
import type { TableMetadata } from '../../../../consumer/sinks/iceberg/metadata.ts'
import { parseMetadata } from '../../../../consumer/sinks/iceberg/parse-metadata.ts'
import { newTable, type SnapshotJson, type TableJson } from '../../../fakes/iceberg-metadata.ts'

export const KEY = 'orders:id:0:0'
export const UUID = '5c0c4ae4-0000-4000-8000-000000000001'

export const stateAt = (nextOffset: number): TableState => ({ ...EMPTY_STATE, offsets: new Map([[KEY, nextOffset]]) })

/** A table's history told by hand: commits of ours and of others, rollbacks, expiry. */
export class Lineage {
  readonly json: TableJson
  #nowMs = 1_000_000

  constructor() {
    const schema = {
      type: 'struct',
      'schema-id': 0,
      fields: [{ id: 1, name: 'a', required: false, type: 'long' }]
    } as const
    this.json = newTable({ schema }, { uuid: UUID, location: 's3://b/t', nowMs: this.#nowMs })
  }

  get metadata(): TableMetadata {
    return parseMetadata(structuredClone(this.json), 'db.t')
  }

  get head(): number {
    return Number(this.json['current-snapshot-id'])
  }

  /** A commit of ours that leaves the next offset at `nextOffset`; its id is its sequence number. */
  ours(nextOffset: number, extra: Readonly<Record<string, string>> = {}): number {
    const state = stateAt(nextOffset)
    const id = this.others('append', { ...formatState(state), 'bronze.commits': `c${nextOffset}`, ...extra })
    const at = { tableUuid: UUID, snapshotId: BigInt(id), sequenceNumber: id, ref: 'main' }
    this.json.properties['bronze.state'] = formatProperty(state, at)
    return id
  }

  others(operation: string, summary: Readonly<Record<string, string>> = {}): number {
    const id = this.stage(operation, summary)
    this.set(id)
    return id
  }

  /** Written, but on no branch. */
  stage(operation: string, summary: Readonly<Record<string, string>> = {}): number {
    const id = ++this.json['last-sequence-number']
    this.#nowMs += 1_000
    const parent = this.head
    const snapshot: SnapshotJson = {
      'snapshot-id': id,
      ...(parent === -1 ? {} : { 'parent-snapshot-id': parent }),
      'sequence-number': id,
      'timestamp-ms': this.#nowMs,
      'manifest-list': `s3://b/t/metadata/snap-${id}.avro`,
      summary: { operation, ...summary }
    }
    this.json.snapshots.push(snapshot)
    return id
  }

  /** Rollback, fast-forward, or a branch put in the place of `main`. */
  set(id: number, ref = 'main'): void {
    this.json.refs[ref] = { 'snapshot-id': id, type: 'branch' }
    if (ref === 'main') this.json['current-snapshot-id'] = id
  }

  expire(...ids: readonly number[]): void {
    this.json.snapshots = this.json.snapshots.filter(each => !ids.includes(Number(each['snapshot-id'])))
  }
}
