import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RowGroupBuffer } from '../../consumer/columns/row-group.ts'
import type { TableSchema } from '../../consumer/columns/schema.ts'
import { transformed, tupleKey, type SourceValue } from '../../consumer/columns/transforms.ts'
import { encodeParquet } from '../../consumer/parquet/file.ts'
import { appendChange, snapshotId, type TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import { createRequest } from '../../consumer/sinks/iceberg/create.ts'
import { dataFile, type DataFile } from '../../consumer/sinks/iceberg/data-file.ts'
import { fieldIds } from '../../consumer/sinks/iceberg/field-paths.ts'
import {
  addedEntries,
  decodeManifest,
  encodeManifest,
  type ManifestEntry
} from '../../consumer/sinks/iceberg/manifest.ts'
import {
  decodeManifestList,
  encodeManifestList,
  newManifest,
  placed,
  type ManifestFile
} from '../../consumer/sinks/iceberg/manifest-list.ts'
import { mergeEntries, planMerge } from '../../consumer/sinks/iceberg/manifest-merge.ts'
import {
  currentSchema,
  currentSnapshot,
  currentSpec,
  type TableMetadata
} from '../../consumer/sinks/iceberg/metadata.ts'
import { readState, nextState } from '../../consumer/sinks/iceberg/offsets.ts'
import { parseMetadata } from '../../consumer/sinks/iceberg/parse-metadata.ts'
import { partitionPath } from '../../consumer/sinks/iceberg/partition-path.ts'
import { tupleFields } from '../../consumer/sinks/iceberg/partition-spec.ts'
import { sortOrderIdFor } from '../../consumer/sinks/iceberg/sort-order.ts'
import { appendSummary } from '../../consumer/sinks/iceberg/summary.ts'
import { snapshotsToRemove } from '../../consumer/sinks/iceberg/thinning.ts'
import { parseJson, stringifyJson } from '../../consumer/sinks/json.ts'
import { applyChange, newTable, type CreateJson, type TableJson } from './iceberg-metadata.ts'

export type Row = Readonly<Record<string, unknown>>

/** A table in a folder that only the pure half of the sink writes: what other engines read of it, they read of that. */
export class IcebergDiskTable {
  readonly json: TableJson
  #nowMs: number
  #manifests: readonly ManifestFile[] = []
  readonly #bytes = new Map<string, Buffer>()
  #commits = 0

  constructor(folder: string, schema: TableSchema, formatVersion: 2 | 3, nowMs: number) {
    const location = `file://${folder}`
    const request = createRequest({ table: 'db.t', name: 't', schema, location, formatVersion })
    this.#nowMs = nowMs
    this.json = newTable(parseJson(stringifyJson(request)) as CreateJson, {
      uuid: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
      location,
      nowMs
    })
  }

  get metadata(): TableMetadata {
    return parseMetadata(parseJson(stringifyJson(this.json)), 'db.t')
  }

  get manifests(): readonly ManifestFile[] {
    return this.#manifests
  }

  /** All or nothing, as a catalog does it. */
  apply(change: TableChange): void {
    if (!applyChange(this.json, change, this.#nowMs)) throw new Error('a requirement does not hold')
  }

  /** Appends rows in one commit, a file per tuple of partition values, ten seconds after the last one. */
  async append(ours: TableSchema, rows: readonly Row[], offset: number): Promise<void> {
    this.#nowMs += 10_000
    const metadata = this.metadata
    const commitId = `commit-${this.#commits++}`
    const entries = addedEntries(await this.#writeRows(metadata, ours, rows, commitId))
    await this.#commit(metadata, entries, commitId, offset)
  }

  /** Where the metadata as it is now was written. */
  async save(): Promise<string> {
    const path = `${this.metadata.location.slice('file://'.length)}/metadata/v${this.#commits}.metadata.json`
    await write(path, [Buffer.from(stringifyJson(this.json))])
    return path
  }

  async #writeRows(
    metadata: TableMetadata,
    ours: TableSchema,
    rows: readonly Row[],
    commitId: string
  ): Promise<readonly DataFile[]> {
    const schema = currentSchema(metadata)
    const tuple = tupleFields(currentSpec(metadata), schema) ?? []
    const valuesOf = (row: Row) =>
      tuple.map(({ transform, sourceType, column }) => transformed(transform, sourceType, row[column] as SourceValue))
    const files: DataFile[] = []
    for (const members of Map.groupBy(rows, row => tupleKey(valuesOf(row))).values()) {
      const group = new RowGroupBuffer(ours)
      for (const row of members) group.appendRow(row)
      const file = encodeParquet(ours, [group], { fieldIds: fieldIds(schema, ours) })
      const partition = valuesOf(members[0] ?? {})
      const path = `${metadata.location}/data/${partitionPath(tuple, partition)}${commitId}-${files.length}.parquet`
      await write(path.slice('file://'.length), file.chunks)
      const { properties } = metadata
      const sortOrderId = sortOrderIdFor(metadata, ours.sortBy ?? [])
      files.push(dataFile({ path, file, partition, ours, schema, properties, sortOrderId }))
    }
    return files
  }

  async #commit(
    metadata: TableMetadata,
    entries: readonly ManifestEntry[],
    commitId: string,
    offset: number
  ): Promise<void> {
    const parent = currentSnapshot(metadata)
    const id = snapshotId(
      Buffer.from(commitId.padEnd(16, '.').repeat(2).slice(0, 16).split('').reverse().join('')),
      metadata
    )
    const sequenceNumber = metadata.lastSequenceNumber + 1
    const added = await this.#writeManifest(metadata, entries, `${commitId}-m0`)
    const manifests = [added]
    let list = [placed(added, { snapshotId: id, sequenceNumber }), ...this.#manifests]
    for (const [index, group] of planMerge(this.#manifests, metadata.properties).entries()) {
      const tuple = tupleFields(currentSpec(metadata), currentSchema(metadata)) ?? []
      const merged = mergeEntries(
        group.map(manifest => ({
          manifest,
          contents: decodeManifest(this.#bytes.get(manifest.path) ?? Buffer.alloc(0), tuple)
        }))
      )
      if (merged === undefined) continue
      const one = await this.#writeManifest(metadata, merged, `${commitId}-merged-${index}`)
      manifests.push(one)
      list = [placed(one, { snapshotId: id, sequenceNumber }), ...list.filter(each => !group.includes(each))]
    }
    const encoded = encodeManifestList(list, { metadata, snapshotId: id, parentId: parent?.id, sequenceNumber })
    const manifestList = `${metadata.location}/metadata/snap-${id}.avro`
    await write(manifestList.slice('file://'.length), [encoded.bytes])
    const range = { id: 'orders-0' as const, expected: undefined, next: offset }
    const state = nextState(readState(metadata, 'db.t').state, { ranges: new Map([['orders:id:0:0', range]]) })
    const author = { pipeline: 'ns/p', createdAt: undefined, consumerId: 'c' }
    const summary = appendSummary({ parent, manifests: [added], state, commitIds: [commitId], author })
    const remove = snapshotsToRemove(metadata, { nowMs: this.#nowMs, newSnapshotBytes: 1_000 })
    const { firstRowId, addedRows } = encoded
    const snapshot = { id, manifestList, summary, firstRowId, addedRows }
    this.apply(appendChange({ metadata, snapshot, state, remove, nowMs: this.#nowMs }))
    this.#manifests = decodeManifestList(encoded.bytes)
  }

  async #writeManifest(metadata: TableMetadata, entries: readonly ManifestEntry[], name: string) {
    const [schema, spec] = [currentSchema(metadata), currentSpec(metadata)]
    const bytes = encodeManifest({ metadata, schema, spec, entries })
    const path = `${metadata.location}/metadata/${name}.avro`
    this.#bytes.set(path, bytes)
    await write(path.slice('file://'.length), [bytes])
    const types = tupleFields(spec, schema) ?? []
    return newManifest({ path, bytes: bytes.length, specId: spec['spec-id'], entries, types })
  }
}

async function write(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, Buffer.concat(chunks))
}
