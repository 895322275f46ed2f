import type { S3Sink } from '../../../crds/settled.ts'
import { invariant } from '../../../lib/errors.ts'
import type { Batch, BatchPart } from '../../batch.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { Transform } from '../../columns/schema.ts'
import { tupleKey } from '../../columns/transforms.ts'
import { formatKey } from '../offset-key.ts'
import { objectName, pathSegment, stagedPath, tableFolder } from './names.ts'
import { folderAt } from './path-template.ts'
import type { StagedObject } from './staged.ts'

/** An object to be written. */
export interface PlannedObject {
  readonly staged: Omit<StagedObject, 'rows' | 'bytes'>
  /** Of one schema. */
  readonly groups: readonly RowGroupBuffer[]
}

/** The objects of a batch. Each is of one key: that is what a commit makes visible in one step. */
export function plannedObjects(
  batch: Batch,
  plan: TablePlan,
  sink: Pick<S3Sink, 'layout' | 'path'>,
  suffix: string
): readonly PlannedObject[] {
  const planned: PlannedObject[] = []
  for (const part of batch.parts) {
    const add = (table: string, isDeadLetters: boolean, groups: readonly RowGroupBuffer[], timeMs: number | null) => {
      const { topic, partition } = part.partition
      const folder = `${tableFolder(table)}${folderAt(sink.path, { topic, partition, timeMs })}`
      const key = { ...part.partition, epoch: part.epoch }
      const id = planned.length === 0 ? batch.commitId : `${batch.commitId}-${planned.length}`
      const unique = `${folder}${objectName(key, part.expectedOffset)}+${pathSegment(id)}${suffix}`
      const isGlob = sink.layout === 'Glob'
      const place = isGlob
        ? { path: stagedPath(plan.table, id), goal: { folder, suffix } }
        : { path: unique, goal: undefined }
      planned.push({ staged: { key: formatKey(key), table, isDeadLetters, ...place }, groups })
    }
    for (const groups of alike(part)) add(plan.table, false, groups, timeOf(groups, batch.takenAtMs))
    if (part.deadLetters === undefined || part.deadLetters.rows === 0) continue
    invariant(plan.deadLetterTable !== undefined, 'dead letters come only under policy Table')
    add(plan.deadLetterTable, true, [part.deadLetters], batch.takenAtMs)
  }
  return planned
}

/** Groups of rows that can be in one object: of one schema, and of one tuple of partition values. */
function alike({ rows }: BatchPart): Iterable<readonly RowGroupBuffer[]> {
  const bySchema = Map.groupBy(
    rows.filter(group => group.rows > 0),
    ({ schema }) => schema
  )
  return [...bySchema.values()].flatMap(groups => [
    ...Map.groupBy(groups, ({ partitionValues }) => tupleKey(partitionValues)).values()
  ])
}

/** The time that the path is made of; null when the records have none. */
function timeOf([group]: readonly RowGroupBuffer[], takenAtMs: number): number | null {
  const field = group?.schema.partitionFields?.[0]
  const value = group?.partitionValues[0]
  if (field === undefined || value === undefined) return takenAtMs
  return value === null ? null : startMs(field.transform, Number(value))
}

const STARTS_MS: Readonly<Record<string, (value: number) => number>> = {
  year: value => Date.UTC(1970 + value, 0),
  month: value => Date.UTC(1970, value),
  day: value => value * 86_400_000,
  hour: value => value * 3_600_000
}

/** When the year, month, day or hour begins that a partition value stands for, each counted from 1970. */
function startMs(transform: Transform, value: number): number {
  const start = typeof transform === 'string' ? STARTS_MS[transform] : undefined
  invariant(start !== undefined, `${JSON.stringify(transform)} is a time`)
  return start(value)
}
