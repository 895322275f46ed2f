import type { TableSchema } from '../../columns/schema.ts'
import type { PartitionValue } from '../../columns/transforms.ts'
import type { ColumnStatistics, EncodedFile } from '../../parquet/file.ts'
import { lowerBound, upperBound } from './bounds.ts'
import { leafFields, type LeafField } from './field-paths.ts'
import { metricsModes, type MetricsMode } from './metrics.ts'
import type { IcebergSchema } from './schema.ts'

/** A data file as a manifest has it (spec, "Data File Fields"). */
export interface DataFile {
  /** Full URI. */
  readonly path: string
  readonly format: string
  /** In the order of the spec's fields. */
  readonly partition: readonly PartitionValue[]
  readonly records: number
  readonly sizeBytes: number
  /** By field id. */
  readonly columnSizes: ReadonlyMap<number, number>
  readonly valueCounts: ReadonlyMap<number, number>
  readonly nullCounts: ReadonlyMap<number, number>
  readonly nanCounts: ReadonlyMap<number, number>
  readonly lower: ReadonlyMap<number, Uint8Array>
  readonly upper: ReadonlyMap<number, Uint8Array>
  readonly keyMetadata: Uint8Array | undefined
  readonly splitOffsets: readonly number[]
  readonly sortOrderId: number | undefined
  /** Version 3; undefined until it is inherited. */
  readonly firstRowId: number | undefined
}

/** What a manifest tells of a file that was just encoded. */
export function dataFile(options: {
  readonly path: string
  readonly file: EncodedFile
  readonly partition: readonly PartitionValue[]
  /** Of the file. */
  readonly ours: TableSchema
  readonly schema: IcebergSchema
  readonly properties: Readonly<Record<string, string>>
  readonly sortOrderId: number | undefined
}): DataFile {
  const { path, file, partition, ours, schema, properties, sortOrderId } = options
  const leaves = leafFields(schema, ours)
  return {
    path,
    format: 'PARQUET',
    partition,
    records: file.rows,
    sizeBytes: file.sizeBytes,
    ...metricsOf(file, leaves, metricsModes(leaves, properties)),
    keyMetadata: undefined,
    splitOffsets: file.splitOffsets,
    sortOrderId,
    firstRowId: undefined
  }
}

type Metrics = Pick<DataFile, 'columnSizes' | 'valueCounts' | 'nullCounts' | 'nanCounts' | 'lower' | 'upper'>

function metricsOf(file: EncodedFile, leaves: readonly LeafField[], modes: ReadonlyMap<number, MetricsMode>): Metrics {
  const [columnSizes, valueCounts, nullCounts, nanCounts] = [0, 0, 0, 0].map(() => new Map<number, number>())
  const [lower, upper] = [new Map<number, Uint8Array>(), new Map<number, Uint8Array>()]
  for (const leaf of leaves) {
    const column = file.columns.get(leaf.path)
    const mode = modes.get(leaf.id)
    if (column === undefined || mode === undefined || mode.kind === 'none') continue
    columnSizes?.set(leaf.id, column.sizeBytes)
    // Counts of what repeats within a row mean different things to different readers.
    if (leaf.isRepeated) continue
    valueCounts?.set(leaf.id, column.entries)
    nullCounts?.set(leaf.id, column.nullCount)
    // A column with NaN has no bounds.
    const isFloating = leaf.type === 'float' || leaf.type === 'double'
    if (isFloating && (column.min !== undefined || column.nullCount === column.entries)) nanCounts?.set(leaf.id, 0)
    if (mode.kind === 'bounds') setBounds(leaf, column, mode.length, lower, upper)
  }
  return {
    columnSizes: columnSizes ?? new Map(),
    valueCounts: valueCounts ?? new Map(),
    nullCounts: nullCounts ?? new Map(),
    nanCounts: nanCounts ?? new Map(),
    lower,
    upper
  }
}

function setBounds(
  { id, type }: LeafField,
  { min, max }: ColumnStatistics,
  length: number,
  lower: Map<number, Uint8Array>,
  upper: Map<number, Uint8Array>
): void {
  if (min !== undefined) lower.set(id, lowerBound(type, min, length))
  const bound = max === undefined ? undefined : upperBound(type, max, length)
  if (bound !== undefined) upper.set(id, bound)
}
