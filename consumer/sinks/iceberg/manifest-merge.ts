import type { ManifestContents, ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'

const DEFAULT_MIN_COUNT = 100
const DEFAULT_TARGET_BYTES = 8 << 20

/**
 * Manifests to be written anew as one each, so that the list does not grow with every commit. They are of the parent's list,
 * never of the commit itself: what it adds stays marked as added. As soon as there are `commit.manifest.min-count-to-merge`
 * (100) of about the same size they become one of the next size: a file's entry is written as often as the table's files
 * have digits to that base, and 10,000 commits leave at most 199 manifests. A merged manifest is at most
 * `commit.manifest.target-size-bytes` (8 MiB) large. Usually there are none.
 */
export function planMerge(
  manifests: readonly ManifestFile[],
  properties: Readonly<Record<string, string>>
): readonly (readonly ManifestFile[])[] {
  if (properties['commit.manifest-merge.enabled']?.toLowerCase() === 'false') return []
  const minCount = Math.max(2, configured(properties['commit.manifest.min-count-to-merge'], DEFAULT_MIN_COUNT))
  const targetBytes = configured(properties['commit.manifest.target-size-bytes'], DEFAULT_TARGET_BYTES)
  const mergeable = manifests.filter(isMergeable)
  const groups = Map.groupBy(mergeable, each => `${each.specId} ${tierOf(each, minCount)}`)
  return [...groups.values()].flatMap(group => {
    if (group.length < minCount) return []
    const fitting = withinBytes(group, targetBytes)
    // A few large ones are as well left alone.
    return fitting.length < Math.min(minCount, 10) ? [] : [fitting]
  })
}

/** What each of the entries of manifests is when they are one: all that is inherited is written out (spec, "Sequence Number Inheritance"). */
export function mergeEntries(
  sources: readonly { readonly manifest: ManifestFile; readonly contents: ManifestContents }[]
): readonly ManifestEntry[] | undefined {
  if (sources.some(({ contents }) => !contents.isWhole || contents.content !== 'data')) return undefined
  return sources.flatMap(({ manifest, contents }) => {
    let rowId = manifest.firstRowId
    return contents.entries.flatMap(entry => {
      const { file } = entry
      // Row ids count on over files that have none of their own (spec, "First Row ID Inheritance").
      const firstRowId = file.firstRowId ?? rowId
      if (file.firstRowId === undefined && rowId !== undefined) rowId += file.records
      if (entry.status === 'deleted') return []
      return [
        {
          status: 'existing' as const,
          snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
          sequenceNumber: entry.sequenceNumber ?? manifest.sequenceNumber,
          fileSequenceNumber: entry.fileSequenceNumber ?? manifest.sequenceNumber,
          file: { ...file, firstRowId }
        }
      ]
    })
  })
}

const isMergeable = ({ content, keyMetadata, addedFiles, existingFiles }: ManifestFile): boolean =>
  content === 'data' && keyMetadata === undefined && addedFiles !== undefined && existingFiles !== undefined

const tierOf = ({ addedFiles = 0, existingFiles = 0 }: ManifestFile, base: number): number =>
  Math.floor(Math.log(Math.max(1, addedFiles + existingFiles)) / Math.log(base) + 1e-9)

function withinBytes(manifests: readonly ManifestFile[], targetBytes: number): readonly ManifestFile[] {
  let bytes = 0
  // Lists have the newest first: the oldest become one.
  const oldestFirst = manifests.toReversed()
  const end = oldestFirst.findIndex(({ lengthBytes }) => (bytes += lengthBytes) > targetBytes)
  return end < 0 ? oldestFirst : oldestFirst.slice(0, end)
}

function configured(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise)
  return Number.isSafeInteger(value) && value > 0 ? value : otherwise
}
