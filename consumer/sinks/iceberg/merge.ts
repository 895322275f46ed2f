import { damaged, readable } from './damage.ts'
import { decodeManifest, encodeManifest, type ManifestContents } from './manifest.ts'
import { newManifest, type ManifestFile, type NewManifest } from './manifest-list.ts'
import { mergeEntries, planMerge } from './manifest-merge.ts'
import { currentSchema, metadataLocation, type TableMetadata } from './metadata.ts'
import { tupleFields } from './partition-spec.ts'
import type { IcebergTable } from './table.ts'

export interface Merged {
  /** Written for this attempt. */
  readonly merged: readonly NewManifest[]
  /** As they were. */
  readonly left: readonly ManifestFile[]
}

/** Writes groups of a snapshot's manifests as one each, when there are many; usually there is nothing to do. */
export async function mergeManifests(
  table: IcebergTable,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
  name: string
): Promise<Merged> {
  const merged: NewManifest[] = []
  const gone = new Set<ManifestFile>()
  for (const group of planMerge(manifests, metadata.properties)) {
    const one = await mergeGroup(
      table,
      metadata,
      group,
      `${metadataLocation(metadata)}/${name}-m${merged.length + 1}.avro`
    )
    if (one === undefined) continue
    merged.push(one)
    for (const each of group) gone.add(each)
  }
  return { merged, left: manifests.filter(each => !gone.has(each)) }
}

async function mergeGroup(
  table: IcebergTable,
  metadata: TableMetadata,
  group: readonly ManifestFile[],
  path: string
): Promise<NewManifest | undefined> {
  const specId = group[0]?.specId ?? 0
  const spec = metadata.specs.find(each => each['spec-id'] === specId)
  const schema = currentSchema(metadata)
  const tuple = spec && tupleFields(spec, schema)
  if (spec === undefined || tuple === undefined) return undefined
  const sources: { readonly manifest: ManifestFile; readonly contents: ManifestContents }[] = []
  for (const manifest of group) {
    const bytes = await table.files.get(manifest.path)
    if (bytes === undefined) throw damaged(table.name, manifest.path, 'is gone from the store')
    const contents = readable(table.name, manifest.path, () => decodeManifest(bytes, tuple))
    sources.push({ manifest, contents })
  }
  const entries = mergeEntries(sources)
  if (entries === undefined) return undefined
  const bytes = encodeManifest({ metadata, schema, spec, entries })
  await table.files.put(path, [bytes])
  return newManifest({ path, bytes: bytes.length, specId, entries, types: tuple })
}
