import type { ManifestContents, ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'

const DEFAULT_MIN_COUNT = 100
/**
 * Files and compressed bytes that are merged at once. Reading them takes some 60 times the bytes, which has to fit beside the
 * buffers of a small consumer.
 */
const MAX_FILES = 1_000
const MAX_BYTES = 1 << 20

/**
 * Manifests to be written anew as one each, so that the list does not grow with every commit. They are of the parent's list,
 * never of the commit itself: what it adds stays marked as added. As soon as there are `commit.manifest.min-count-to-merge`
 * (100) of about the same size, or enough for a thousand files or 1 MiB, they become one. An entry is written three times
 * at most, and N commits of a file each leave some 110 manifests and N / 1,000. A merged manifest is at most
 * `commit.manifest.target-size-bytes` large, should that be less. Usually there are none.
 */
export function planMerge(
  manifests: readonly ManifestFile[],
  properties: Readonly<Record<string, string>>
): readonly (readonly ManifestFile[])[] {
  if (properties['commit.manifest-merge.enabled']?.toLowerCase() === 'false') return []
  const minCount = Math.max(2, configured(properties['commit.manifest.min-count-to-merge'], DEFAULT_MIN_COUNT))
  const maxBytes = Math.min(MAX_BYTES, configured(properties['commit.manifest.target-size-bytes'], MAX_BYTES))
  const mergeable = manifests.filter(each => isMergeable(each, maxBytes))
  const groups = Map.groupBy(mergeable, each => `${each.specId} ${tierOf(each, minCount)}`)
  return [...groups.values()].flatMap(group => {
    const files = group.reduce((sum, each) => sum + filesIn(each), 0)
    const bytes = group.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
    if (group.length < minCount && files < MAX_FILES && bytes < MAX_BYTES) return []
    const fitting = oldestFitting(group, maxBytes)
    return fitting.length < 2 ? [] : [fitting]
  })
}

/**
 * What each of the entries of manifests is when they are one: all that is inherited is written out (spec, "Sequence
 * Number Inheritance").
 */
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

const filesIn = ({ addedFiles = 0, existingFiles = 0 }: ManifestFile): number => addedFiles + existingFiles

/** Large ones are left as they are. */
const isMergeable = (manifest: ManifestFile, maxBytes: number): boolean =>
  manifest.content === 'data' &&
  manifest.keyMetadata === undefined &&
  manifest.addedFiles !== undefined &&
  manifest.existingFiles !== undefined &&
  filesIn(manifest) <= MAX_FILES / 2 &&
  manifest.lengthBytes <= maxBytes / 2

const tierOf = (manifest: ManifestFile, base: number): number =>
  Math.floor(Math.log(Math.max(1, filesIn(manifest))) / Math.log(base) + 1e-9)

/** Lists have the newest first. */
function oldestFitting(manifests: readonly ManifestFile[], maxBytes: number): readonly ManifestFile[] {
  let [bytes, files] = [0, 0]
  const fitting: ManifestFile[] = []
  for (const manifest of manifests.toReversed()) {
    bytes += manifest.lengthBytes
    files += filesIn(manifest)
    if (bytes > maxBytes || files > MAX_FILES) break
    fitting.push(manifest)
  }
  return fitting
}

function configured(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise)
  return Number.isSafeInteger(value) && value > 0 ? value : otherwise
}
